// Package fault holds the errors that a person may see: a stable code, one sentence that ends with the next step, and the
// wrapped cause for the log. Everything that is not a fault.Error is shown as "internal error" with a reference id.
//
// The package has no state and starts no goroutine.
package fault

import (
	"errors"
	"fmt"
)

// Code is stable across releases: scripts branch on it, so a code is never renamed or given another meaning.
type Code string

// The codes of Backstay's own interfaces. Outcomes of jobs use fleet.Reason.
const (
	Internal             Code = "internal"
	InvalidInput         Code = "invalid_input"
	Unauthenticated      Code = "unauthenticated"
	Forbidden            Code = "forbidden"
	NotFound             Code = "not_found"
	Conflict             Code = "conflict"
	TooLarge             Code = "too_large"
	RateLimited          Code = "rate_limited"
	Unavailable          Code = "unavailable"
	Timeout              Code = "timeout"
	StorageFull          Code = "storage_full"
	StorageCorrupt       Code = "storage_corrupt"
	StorageDenied        Code = "storage_denied"
	UnknownHost          Code = "unknown_host"
	UnknownPlan          Code = "unknown_plan"
	UnknownRepository    Code = "unknown_repository"
	UnknownJob           Code = "unknown_job"
	UnknownSnapshot      Code = "unknown_snapshot"
	InvalidPath          Code = "invalid_path"
	InvalidRepositoryURL Code = "invalid_repository_url"
	HostOffline          Code = "host_offline"
	HostRevoked          Code = "host_revoked"
	NoSecret             Code = "no_secret"
	SecretStore          Code = "secret_store"
	TokenExpired         Code = "token_expired"
	TokenUsed            Code = "token_used"
	TokenInvalid         Code = "token_invalid"
	PinMismatch          Code = "pin_mismatch"
	AddressInUse         Code = "address_in_use"
	DataLocked           Code = "data_locked"
	SchemaTooNew         Code = "schema_too_new"
	FrameTooLarge        Code = "frame_too_large"
	Protocol             Code = "protocol"
	VersionMismatch      Code = "version_mismatch"
	PolicyDenied         Code = "policy_denied"
	ResticMissing        Code = "restic_missing"
	ResticTooOld         Code = "restic_too_old"
	JobEnded             Code = "job_ended"
)

// Error is safe to show: Message never holds a secret, a stack or a path that only the daemon knows.
type Error struct {
	Code    Code
	Message string // one or two sentences, the last says what to do next
	Err     error  // cause, for the log only; may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// New returns an Error without a cause.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error with err as its cause.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// CodeOf gives the code of the first Error in err's chain, Internal for any other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Message gives the sentence that may be shown for err, and false when there is none.
func Message(err error) (string, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Message, true
	}
	return "", false
}

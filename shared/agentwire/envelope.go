// Package agentwire is the contract between daemon and agent: the envelope, every message, the protocol version and the
// capabilities. The job events among them (job.started, job.progress, log.stream, job.finished) are also what a console
// receives, so one switch on Type reads both wires. Each message has a golden JSON file in testdata and the decoder is fuzzed.
//
// Frames are WebSocket text messages of one JSON object; field names are snake_case, times RFC 3339 UTC, sizes bytes, durations
// milliseconds with the suffix _ms.
package agentwire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Version is the envelope's version. A daemon works with agents of this version; additions that a peer may not ignore are
// announced as capabilities in hello and welcome.
const Version = 1

// Limits of one frame in bytes, before and after hello was accepted.
const (
	MaxFrameBeforeHello = 64 << 10
	MaxFrame            = 1 << 20
)

// Bounds of what an agent may name in hello and the hello.jobs behind it.
const (
	MaxHeldJobs   = 10_000
	MaxHelloBytes = 8 << 20 // of all these frames
)

// MaxBatch bounds the text of one log.stream message in bytes, so that the frame stays under MaxFrame whatever has to be
// escaped (six bytes for one, at worst).
const MaxBatch = 128 << 10

// Type names a message.
type Type string

// Agent to daemon.
const (
	TypeHello           Type = "hello"
	TypeHelloJobs       Type = "hello.jobs"
	TypeHeartbeat       Type = "heartbeat"
	TypeJobScheduled    Type = "job.scheduled"
	TypeJobStarted      Type = "job.started"
	TypeJobProgress     Type = "job.progress"
	TypeLogStream       Type = "log.stream"
	TypeJobFinished     Type = "job.finished"
	TypeCommandAck      Type = "command.ack"
	TypeCommandReject   Type = "command.reject"
	TypePlanAck         Type = "plan.ack"
	TypeInventory       Type = "inventory"
	TypeSnapshotsReport Type = "snapshots.report"
	TypeReply           Type = "reply"
)

// Daemon to agent.
const (
	TypeWelcome       Type = "welcome"
	TypeCommandRun    Type = "command.run"
	TypeCommandCancel Type = "command.cancel"
	TypeConfigUpdate  Type = "config.update"
	TypeJobAdopted    Type = "job.adopted"
	TypeAck           Type = "ack"
	TypeNack          Type = "nack"
	TypeCredit        Type = "credit"
	TypeRequest       Type = "request"
	TypeReset         Type = "reset"
)

// Envelope is every frame on both wires.
type Envelope struct {
	V       int             `json:"v"`
	Type    Type            `json:"type"`
	ID      string          `json:"id,omitempty"`
	JobID   fleet.JobID     `json:"job_id,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Encode makes the frame of one message. id may be empty where no answer refers to it, job where it concerns none.
func Encode(t Type, id string, job fleet.JobID, payload any) ([]byte, error) {
	e := Envelope{V: Version, Type: t, ID: id, JobID: job}
	if payload != nil {
		raw, err := json.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", t, err)
		}
		e.Payload = raw
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", t, err)
	}
	return b, nil
}

// Decode reads a frame's envelope. Its payload stays raw: see Payload and StrictPayload.
func Decode(frame []byte) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(frame, &e); err != nil {
		return Envelope{}, fault.Wrap(fault.Protocol, err, "The peer sent a frame that is not a Backstay message. Check that both sides run Backstay.")
	}
	if e.V != Version {
		return Envelope{}, fault.New(fault.VersionMismatch, "The peer speaks protocol version %d, this program %d. Update the older side.", e.V, Version)
	}
	if e.Type == "" {
		return Envelope{}, fault.New(fault.Protocol, "The peer sent a message without a type.")
	}
	if e.JobID != "" && !fleet.ValidID(string(e.JobID)) {
		return Envelope{}, fault.New(fault.Protocol, "The peer sent a message with an invalid job id.")
	}
	return e, nil
}

// Payload decodes e's payload; unknown fields are ignored.
func Payload[T any](e Envelope) (T, error) {
	var v T
	if err := json.Unmarshal(e.Payload, &v); err != nil {
		return v, fault.Wrap(fault.Protocol, err, "The peer sent a malformed %s message.", e.Type)
	}
	return v, nil
}

var errTrailing = errors.New("data behind the payload")

// StrictPayload decodes e's payload and rejects unknown fields and trailing data: what an agent is told to do must be
// understood whole or not be done at all.
func StrictPayload[T any](e Envelope) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(e.Payload))
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) { // More would pass a lone ] or }
			err = errTrailing
		}
	}
	if err != nil {
		return v, fault.Wrap(fault.Protocol, err, "The daemon sent a %s message that this agent does not understand. Update the agent.", e.Type)
	}
	return v, nil
}

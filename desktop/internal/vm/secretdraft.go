package vm

import (
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// SecretDraft is the credentials of a repository while a person types them for one host. Nothing of it is stored: Seal makes the text
// that only that host can open, for Daemon.PutSecret.
type SecretDraft struct {
	Host         fleet.HostID
	Repository   fleet.RepositoryID
	Password     secret.Secret
	User         string // of a REST server; "": it asks for none
	UserPassword secret.Secret
	KeyID        string // of S3
	Key          secret.Secret
	SessionToken secret.Secret // of temporary S3 keys only
}

// SecretNeeds says what a repository asks for beside its password.
type SecretNeeds struct {
	REST bool // a user and a password, where the server wants them
	S3   bool // a key
}

// Needs says it for the draft's repository.
func (d SecretDraft) Needs(m *model.Fleet) SecretNeeds {
	r := m.Repository(d.Repository)
	if r == nil {
		return SecretNeeds{}
	}
	u, err := fleet.ParseRepositoryURL(r.URL)
	if err != nil {
		return SecretNeeds{}
	}
	return SecretNeeds{REST: u.Scheme == fleet.SchemeREST, S3: u.Scheme == fleet.SchemeS3}
}

func (d SecretDraft) credentials(needs SecretNeeds) secret.Credentials {
	c := secret.Credentials{Password: d.Password}
	if needs.REST && (d.User != "" || !d.UserPassword.IsZero()) {
		c.REST = &secret.RESTCredentials{User: d.User, Password: d.UserPassword}
	}
	if needs.S3 {
		c.S3 = &secret.S3Credentials{AccessKeyID: d.KeyID, SecretAccessKey: d.Key, SessionToken: d.SessionToken}
	}
	return c
}

// Check gives what is wrong, as a fault; nil when it can be sealed.
func (d SecretDraft) Check(m *model.Fleet) error { return d.credentials(d.Needs(m)).Validate() }

// Seal gives a function that seals the credentials to the host's key. The function touches no model: call it in a request's goroutine.
func (d SecretDraft) Seal(m *model.Fleet) func() (string, error) {
	credentials, recipient := d.credentials(d.Needs(m)), ""
	if h := m.Host(d.Host); h != nil {
		recipient = h.SealingKey
	}
	return func() (string, error) {
		if err := credentials.Validate(); err != nil {
			return "", err
		}
		return secret.Seal(recipient, d.Host, d.Repository, credentials)
	}
}

package secret_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

func identity(t testing.TB) (secret.Secret, string) {
	t.Helper()
	id, recipient, err := secret.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id, recipient
}

func TestSealAndOpen(t *testing.T) {
	id, recipient := identity(t)
	if again, err := secret.Recipient(id); err != nil || again != recipient {
		t.Fatalf("recipient %q, %v; want %q", again, err, recipient)
	}
	c := plantedCredentials()
	text, err := secret.Seal(recipient, "host", "repo", c)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "sealed text", text)
	got, err := secret.Open(id.Reveal(), "host", "repo", text)
	if err != nil || !same(c, got) {
		t.Fatalf("opened credentials differ, err %v", err)
	}
	if got, err = secret.Open(id.Reveal()+"\n", "host", "repo", text); err != nil || !same(c, got) {
		t.Fatalf("a key file ends with a newline: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	id, recipient := identity(t)
	other, _ := identity(t)
	text, err := secret.Seal(recipient, "host", "repo", plantedCredentials())
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(text, "\n", "\nAAAA", 5)
	cases := map[string]struct {
		identity string
		host     fleet.HostID
		repo     fleet.RepositoryID
		text     string
		want     fault.Code
	}{
		"other host":       {id.Reveal(), "host2", "repo", text, fault.InvalidInput},
		"other repository": {id.Reveal(), "host", "repo2", text, fault.InvalidInput},
		"other key":        {other.Reveal(), "host", "repo", text, fault.InvalidInput},
		"damaged key":      {"AGE-SECRET-KEY-1" + planted, "host", "repo", text, fault.SecretStore},
		"damaged text":     {id.Reveal(), "host", "repo", damaged, fault.InvalidInput},
		"cut text":         {id.Reveal(), "host", "repo", text[:len(text)/2], fault.InvalidInput},
		"no text":          {id.Reveal(), "host", "repo", "", fault.InvalidInput},
		"huge text":        {id.Reveal(), "host", "repo", strings.Repeat("x", secret.MaxSealed+1), fault.TooLarge},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := secret.Open(c.identity, c.host, c.repo, c.text)
			if fault.CodeOf(err) != c.want {
				t.Fatalf("err %v", err)
			}
			check(t, "error", fmt.Sprintf("%+v", err))
		})
	}
}

func TestSealRefuses(t *testing.T) {
	_, recipient := identity(t)
	ok := func() secret.Credentials { return plantedCredentials() }
	cases := map[string]func(*secret.Credentials){
		"no password":        func(c *secret.Credentials) { c.Password = secret.Secret{} },
		"newline":            func(c *secret.Credentials) { c.Password = secret.New(planted + "\nx") },
		"trailing space":     func(c *secret.Credentials) { c.Password = secret.New(planted + " ") },
		"not UTF-8":          func(c *secret.Credentials) { c.Password = secret.New(planted + "\xff") },
		"NUL":                func(c *secret.Credentials) { c.Password = secret.New(planted + "\x00") },
		"too long":           func(c *secret.Credentials) { c.Password = secret.New(strings.Repeat(planted, 500)) },
		"REST user colon":    func(c *secret.Credentials) { c.REST.User = "a:b" },
		"REST user empty":    func(c *secret.Credentials) { c.REST.User = "" },
		"REST password":      func(c *secret.Credentials) { c.REST.Password = secret.New(planted + "\r") },
		"S3 without key":     func(c *secret.Credentials) { c.S3.SecretAccessKey = secret.Secret{} },
		"S3 without id":      func(c *secret.Credentials) { c.S3.AccessKeyID = "" },
		"S3 token with line": func(c *secret.Credentials) { c.S3.SessionToken = secret.New(planted + "\naws_x = y") },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c := ok()
			change(&c)
			_, err := secret.Seal(recipient, "host", "repo", c)
			if fault.CodeOf(err) != fault.InvalidInput {
				t.Fatalf("err %v", err)
			}
			check(t, "error", fmt.Sprintf("%+v", err))
		})
	}
	if _, err := secret.Seal("age1nonsense", "host", "repo", ok()); fault.CodeOf(err) != fault.InvalidInput {
		t.Fatalf("bad recipient: %v", err)
	}
}

// The length of a sealed text may not tell the length of the password, and the longest credentials still fit the limit.
func TestSealedLength(t *testing.T) {
	_, recipient := identity(t)
	lengths := map[int]bool{}
	for n := 1; n < 128; n += 7 {
		text, err := secret.Seal(recipient, "host", "repo", secret.Credentials{Password: secret.New(strings.Repeat("p", n))})
		if err != nil {
			t.Fatal(err)
		}
		lengths[len(text)] = true
	}
	if len(lengths) != 1 {
		t.Errorf("short passwords give %d different lengths", len(lengths))
	}
	long := secret.New(strings.Repeat("p", 4096))
	text, err := secret.Seal(recipient, "host", "repo", secret.Credentials{Password: long,
		REST: &secret.RESTCredentials{User: "u", Password: long}, S3: &secret.S3Credentials{AccessKeyID: "a", SecretAccessKey: long, SessionToken: long}})
	if err != nil || len(text) > secret.MaxSealed {
		t.Errorf("longest credentials: %d bytes, err %v", len(text), err)
	}
}

func FuzzOpen(f *testing.F) {
	id, recipient := identity(f)
	text, err := secret.Seal(recipient, "host", "repo", plantedCredentials())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("")
	f.Add("-----BEGIN AGE ENCRYPTED FILE-----\n")
	f.Fuzz(func(t *testing.T, in string) {
		c, err := secret.Open(id.Reveal(), "host", "repo", in)
		if err == nil && !same(c, plantedCredentials()) {
			t.Fatal("a text that nobody sealed was opened")
		}
	})
}

func FuzzDecodeCredentials(f *testing.F) {
	text, err := secret.EncodeCredentials(plantedCredentials())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text.Reveal())
	f.Add(`{"password":"p"}`)
	f.Fuzz(func(t *testing.T, in string) {
		c, err := secret.DecodeCredentials(secret.New(in))
		if err != nil {
			return
		}
		out, err := secret.EncodeCredentials(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := secret.DecodeCredentials(out)
		if err != nil || !same(c, again) {
			t.Fatalf("does not come back: %v", err)
		}
	})
}

func TestSealText(t *testing.T) {
	id, recipient := identity(t)
	text, err := secret.SealText(recipient, secret.New(planted))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "sealed text", text)
	if got, err := secret.OpenText(id, text); err != nil || got.Reveal() != planted {
		t.Fatalf("opened: %v", err)
	}
	if _, err := secret.SealText(recipient, secret.New(strings.Repeat("x", secret.MaxText+1))); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("too long: %v", err)
	}
	other, _ := identity(t)
	if _, err := secret.OpenText(other, text); err == nil {
		t.Error("opened with another key")
	}
}

package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/secret"
)

const planted = "hunter2-planted"

func plantedCredentials() secret.Credentials {
	return secret.Credentials{Password: secret.New(planted),
		REST: &secret.RESTCredentials{User: "u", Password: secret.New(planted)},
		S3:   &secret.S3Credentials{AccessKeyID: "AK", SecretAccessKey: secret.New(planted), SessionToken: secret.New(planted)}}
}

type holder struct {
	Shown  secret.Secret
	hidden secret.Secret
	creds  secret.Credentials
	ptr    *secret.RESTCredentials
}

func TestNothingShowsASecret(t *testing.T) {
	c := plantedCredentials()
	values := map[string]any{"secret": c.Password, "pointer": &c.Password, "credentials": c, "rest": c.REST, "s3": *c.S3,
		"holder": holder{c.Password, c.Password, c, c.REST}, "slice": []secret.Secret{c.Password},
		"map": map[string]secret.Secret{"k": c.Password}, "any": []any{c, &c}}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T"} {
			check(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		check(t, name+" error", fmt.Errorf("wrap %v", v).Error())
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		check(t, name+" json", string(b))
		for _, text := range []bool{true, false} {
			var out bytes.Buffer
			var h slog.Handler = slog.NewJSONHandler(&out, nil)
			if text {
				h = slog.NewTextHandler(&out, nil)
			}
			slog.New(h).With("w", v).Info("m", "v", v, slog.Group("g", "v", v))
			check(t, name+" slog", out.String())
		}
		var out bytes.Buffer
		_ = xml.NewEncoder(&out).Encode(v) // maps have no XML form; what counts is what came out
		_ = gob.NewEncoder(&out).Encode(v) // likewise
		check(t, name+" xml, gob", out.String())
	}
	if got := fmt.Sprint(c.Password); got != "[redacted]" {
		t.Errorf("a secret prints as %q", got)
	}
}

func check(t *testing.T, what, got string) {
	t.Helper()
	hex := fmt.Sprintf("%x", planted)
	if strings.Contains(got, planted) || strings.Contains(strings.ToLower(got), hex) || strings.Contains(got, "hun") {
		t.Errorf("%s shows the secret: %s", what, got)
	}
}

func TestDecodingIntoASecretIsRefused(t *testing.T) {
	var c secret.Credentials
	if err := json.Unmarshal([]byte(`{"password":"`+planted+`"}`), &c); err == nil {
		t.Fatal("a secret was read from JSON")
	}
}

func TestEqualAndZero(t *testing.T) {
	if !secret.New("a").Equal(secret.New("a")) || secret.New("a").Equal(secret.New("b")) || secret.New("a").Equal(secret.Secret{}) {
		t.Error("Equal")
	}
	if !secret.New("").IsZero() || !(secret.Secret{}).IsZero() || secret.New("a").IsZero() || (secret.Secret{}).Reveal() != "" {
		t.Error("IsZero")
	}
}

func TestEncodeDecodeCredentials(t *testing.T) {
	c := plantedCredentials()
	text, err := secret.EncodeCredentials(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := secret.DecodeCredentials(text)
	if err != nil || !same(c, got) {
		t.Fatalf("decoded credentials differ, err %v", err)
	}
	for _, bad := range []string{"", planted, `{"password":"` + planted + `"`, `{"password":1}`, `{"password":"a","` + planted + `":1}`, text.Reveal() + "{}"} {
		if _, err := secret.DecodeCredentials(secret.New(bad)); err == nil {
			t.Errorf("%d bytes of rubbish were decoded", len(bad))
		} else {
			check(t, "decode error", fmt.Sprintf("%+v", err))
		}
	}
}

func same(a, b secret.Credentials) bool {
	ta, errA := secret.EncodeCredentials(a)
	tb, errB := secret.EncodeCredentials(b)
	return errA == nil && errB == nil && ta.Equal(tb)
}

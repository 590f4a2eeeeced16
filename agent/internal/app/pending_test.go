package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/app"
	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// An enrolment that is left for the service is carried out by it, once, and leaves no token behind.
func TestServiceEnrolsItself(t *testing.T) {
	d := newDaemon(t)
	o := options(t, d)
	if err := app.TakeEnrolment(t.Context(), o.DataDir); err != nil {
		t.Fatalf("nothing was left: %v", err)
	}
	if err := app.LeaveEnrolment(o); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(o.DataDir, os.Getenv); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("enrolled before the service did it: %v", err)
	}
	if err := app.TakeEnrolment(t.Context(), o.DataDir); err != nil {
		t.Fatal(err)
	}
	cfg, err := app.AwaitEnrolment(t.Context(), o.DataDir)
	if err != nil || cfg.Server != d.address || cfg.Secrets != o.Secrets {
		t.Fatalf("%+v, err %v", cfg, err)
	}
	err = filepath.WalkDir(o.DataDir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), o.Token) {
			t.Errorf("%s holds the token", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.TakeEnrolment(t.Context(), o.DataDir); err != nil {
		t.Fatalf("it was taken twice: %v", err)
	}
}

// Whoever waits for the service is told why it could not, and a later try is not answered with that.
func TestServiceSaysWhyItCouldNotEnrol(t *testing.T) {
	d := newDaemon(t)
	o := options(t, d)
	good := o.Pin
	o.Pin = newDaemon(t).ca.Pin()
	if err := app.LeaveEnrolment(o); err != nil {
		t.Fatal(err)
	}
	wantCode(t, app.TakeEnrolment(t.Context(), o.DataDir), fault.PinMismatch)
	_, err := app.AwaitEnrolment(t.Context(), o.DataDir)
	wantCode(t, err, fault.PinMismatch)
	o.Pin = good
	if err := app.LeaveEnrolment(o); err != nil {
		t.Fatal(err)
	}
	if err := app.TakeEnrolment(t.Context(), o.DataDir); err != nil {
		t.Fatal(err)
	}
	if _, err := app.AwaitEnrolment(t.Context(), o.DataDir); err != nil {
		t.Fatal(err)
	}
	o.Again, o.Secrets = true, fleet.SecretStore("drawer")
	wantCode(t, app.LeaveEnrolment(o), fault.InvalidInput)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.AwaitEnrolment(ctx, t.TempDir()); fault.CodeOf(err) != fault.Timeout || !errors.Is(err, context.Canceled) {
		t.Fatalf("err %v", err)
	}
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/agent/internal/policy"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
)

// errSick says that Doctor found something; what it is was printed.
var errSick = fault.New(fault.Unavailable, "Not everything that a backup needs is right on this host. See the lines marked with !! above.")

// check is one line of Doctor.
type check struct {
	name string
	look func(context.Context) (string, error)
}

// Doctor checks everything that a backup on this host needs, one line each, and gives an error when something is wrong.
func Doctor(ctx context.Context, dataDir string, w io.Writer) error {
	cfg, err := config.Load(dataDir, os.Getenv)
	if err != nil {
		return err
	}
	sick := false
	for _, c := range checks(cfg) {
		found, err := c.look(ctx)
		mark := "ok"
		if err != nil {
			sick, mark = true, "!!"
			var known bool
			if found, known = fault.Message(err); !known {
				found = err.Error()
			}
		}
		if _, err := fmt.Fprintf(w, "%s  %-22s %s\n", mark, c.name, found); err != nil {
			return err
		}
	}
	if sick {
		return errSick
	}
	return nil
}

func checks(cfg config.Config) []check {
	return []check{
		{"restic", func(ctx context.Context) (string, error) {
			path, version, err := newTool(cfg).find(ctx)
			return path + ", version " + version, err
		}},
		{"repository passwords", func(ctx context.Context) (string, error) { return checkSecrets(ctx, cfg) }},
		{"identity", func(context.Context) (string, error) { return checkIdentity(cfg) }},
		{"daemon", func(ctx context.Context) (string, error) { return checkDaemon(ctx, cfg) }},
		{"what this host allows", func(context.Context) (string, error) {
			p, err := policy.Load(cfg.PolicyFile(), cfg.DataDir)
			return fmt.Sprintf("%d kinds of jobs, restores below %s", len(p.Kinds), p.RestoreRoot()), err
		}},
		{"data folder", func(context.Context) (string, error) { return checkData(cfg) }},
	}
}

func checkSecrets(ctx context.Context, cfg config.Config) (string, error) {
	store, err := secrets.Open(secretsConfig(cfg))
	if err != nil {
		return "", err
	}
	list, err := store.List(ctx)
	if err != nil {
		return "", err
	}
	for _, id := range list {
		if _, err := store.Get(ctx, id); err != nil {
			return "", err
		}
	}
	if _, err := store.Identity(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d, all readable, in %s", len(list), StoreWords(store.Kind())), nil
}

func checkIdentity(cfg config.Config) (string, error) {
	id, err := identity.Load(cfg.IdentityDir())
	if err != nil {
		return "", err
	}
	if time.Now().After(id.Leaf.NotAfter) {
		return "", fault.New(fault.Unauthenticated, "The certificate ran out on %s. Enrol this host again with a new token and --again.", id.Leaf.NotAfter.Local().Format(time.DateTime))
	}
	return "certificate until " + id.Leaf.NotAfter.Local().Format(time.DateTime), nil
}

func checkDaemon(ctx context.Context, cfg config.Config) (string, error) {
	client, err := apiclient.New(apiclient.Config{Address: cfg.Server, TLS: pin.ClientTLS(cfg.CAPin, nil)})
	if err != nil {
		return "", err
	}
	defer client.Close()
	return cfg.Server + " answers", client.Ready(ctx)
}

// checkData writes as much as a job's journal needs.
func checkData(cfg config.Config) (string, error) {
	f, err := os.CreateTemp(cfg.DataDir, "doctor-*")
	if err != nil {
		return "", fault.Wrap(fault.StorageFull, err, "Nothing can be written to %s. Make room, or mend its permissions.", cfg.DataDir)
	}
	_, werr := f.Write(make([]byte, 1<<20))
	if err := errors.Join(werr, f.Close(), os.Remove(f.Name())); err != nil {
		return "", fault.Wrap(fault.StorageFull, err, "1 MiB could not be written to %s. Make room there.", cfg.DataDir)
	}
	return cfg.DataDir + " is writable", nil
}

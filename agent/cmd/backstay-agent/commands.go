package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/agent/internal/app"
	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/svc"
)

func root() *cobra.Command {
	data := os.Getenv(config.DataEnv)
	if data == "" {
		data = defaultData(svc.Elevated())
	}
	cmd := &cobra.Command{Use: "backstay-agent", Short: "runs restic on this host for a Backstay daemon", Version: buildinfo.Version(),
		SilenceUsage: true, SilenceErrors: true}
	cmd.PersistentFlags().StringVar(&data, "data", data, "data folder")
	cmd.AddCommand(enrol(&data), run(&data), status(&data), doctor(&data), version())
	addService(cmd, &data)
	return cmd
}

// defaultData is the data folder of the system's agent, or of a person's own.
func defaultData(system bool) string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return config.DefaultDataDir(config.System{GOOS: runtime.GOOS, Admin: system, Home: home, Getenv: os.Getenv})
}

func enrol(data *string) *cobra.Command {
	o := app.EnrolOptions{}
	var store string
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "enrol", Short: "make this host known to a daemon (paste the line that `backstayd enrol-token` prints)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.DataDir, o.Secrets, o.System = *data, fleet.SecretStore(store), svc.Elevated()
			if fromStdin {
				line, err := bufio.NewReader(os.Stdin).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read token: %w", err)
				}
				o.Token = strings.TrimSpace(line)
			}
			do := app.Enrol
			if runtime.GOOS == "windows" && o.System {
				do = throughService
			}
			cfg, err := do(cmd.Context(), o)
			if err != nil {
				return err
			}
			if _, err = fmt.Fprintf(cmd.OutOrStdout(), "This host is enrolled with %s.\nRepository passwords are kept in: %s\nData: %s\nWhat this host allows: %s\n",
				cfg.Server, app.StoreWords(cfg.Secrets), cfg.DataDir, cfg.PolicyFile()); err != nil {
				return err
			}
			return app.AfterEnrol(cmd.Context(), cfg, !o.System, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Server, "server", "", "the daemon's address, https://host:port")
	f.StringVar(&o.Token, "token", "", "single-use enrolment token")
	f.BoolVar(&fromStdin, "token-stdin", false, "read the token from standard input")
	f.StringVar(&o.Pin, "pin", "", "pin of the daemon's certificate authority")
	f.StringVar(&store, "secrets", "", "where repository passwords are kept: keyring, systemd-credential or sealed-file (default: keyring; systemd-credential for the system's agent on Linux)")
	f.StringVar(&o.Restic, "restic", "", "absolute path of restic (default: looked for beside this program and on PATH)")
	f.BoolVar(&o.Again, "again", false, "replace the enrolment that is there")
	for _, name := range []string{"server", "pin"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag that is not defined: a programmer's mistake
		}
	}
	return cmd
}

func run(data *string) *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "connect to the daemon and run its jobs, until stopped", Args: cobra.NoArgs,
		Long: "Stopping the agent does not stop its jobs: each runs on by itself and is taken up again at the next start.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(*data, os.Getenv)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.Level()}))
			return app.Run(cmd.Context(), cfg, log)
		},
	}
}

func status(data *string) *cobra.Command {
	var asJSON, user bool
	cmd := &cobra.Command{
		Use: "status", Short: "is the agent running, connected, and what does it do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			own := user || !svc.Elevated()
			s, err := app.Inspect(cmd.Context(), folder(cmd, *data, own), own)
			if err != nil {
				if s.Service != nil && !asJSON {
					_, werr := fmt.Fprintln(cmd.OutOrStdout(), "service:", s.Service.String("backstay-agent"))
					err = errors.Join(err, werr)
				}
				return err
			}
			return s.Write(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "for scripts")
	cmd.Flags().BoolVar(&user, "user", false, "your own service")
	return cmd
}

func doctor(data *string) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "check everything that a backup on this host needs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return app.Doctor(cmd.Context(), *data, cmd.OutOrStdout()) },
	}
}

func version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "backstay-agent", buildinfo.Version())
			return err
		}}
}

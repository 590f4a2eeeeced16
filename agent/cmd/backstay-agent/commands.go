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
)

func root() *cobra.Command {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	data := os.Getenv(config.DataEnv)
	if data == "" {
		data = config.DefaultDataDir(config.System{GOOS: runtime.GOOS, Admin: os.Geteuid() == 0, Home: home, Getenv: os.Getenv})
	}
	cmd := &cobra.Command{Use: "backstay-agent", Short: "runs restic on this host for a Backstay daemon", Version: buildinfo.Version(),
		SilenceUsage: true, SilenceErrors: true}
	cmd.PersistentFlags().StringVar(&data, "data", data, "data folder")
	cmd.AddCommand(enrol(&data), run(&data), status(&data), doctor(&data), version())
	return cmd
}

func enrol(data *string) *cobra.Command {
	o := app.EnrolOptions{}
	var store string
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "enrol", Short: "make this host known to a daemon (paste the line that `backstayd enrol-token` prints)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.DataDir, o.Secrets = *data, fleet.SecretStore(store)
			if fromStdin {
				line, err := bufio.NewReader(os.Stdin).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read token: %w", err)
				}
				o.Token = strings.TrimSpace(line)
			}
			cfg, err := app.Enrol(cmd.Context(), o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "This host is enrolled with %s.\nRepository passwords are kept in: %s\nData: %s\nWhat this host allows: %s\nNext: backstay-agent run\n",
				cfg.Server, app.StoreWords(cfg.Secrets), cfg.DataDir, cfg.PolicyFile())
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Server, "server", "", "the daemon's address, https://host:port")
	f.StringVar(&o.Token, "token", "", "single-use enrolment token")
	f.BoolVar(&fromStdin, "token-stdin", false, "read the token from standard input")
	f.StringVar(&o.Pin, "pin", "", "pin of the daemon's certificate authority")
	f.StringVar(&store, "secrets", string(fleet.SecretsKeyring), "where repository passwords are kept: keyring or sealed-file")
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
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "is the agent running, connected, and what does it do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := app.Inspect(cmd.Context(), *data)
			if err != nil {
				return err
			}
			return s.Write(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "for scripts")
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

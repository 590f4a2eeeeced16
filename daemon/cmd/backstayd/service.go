package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/daemon/internal/app"
	"github.com/backstay/backstay/daemon/internal/config"
	daemonsvc "github.com/backstay/backstay/daemon/internal/svc"
	"github.com/backstay/backstay/shared/svc"
)

// defaultData is the data folder of the system's daemon, or of a person's own.
func defaultData(system bool) string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return config.DefaultDataDir(runtime.GOOS, system, home, os.Getenv)
}

// folder is the data folder that a command about a service means.
func (s *settings) folder(cmd *cobra.Command, user bool) string {
	if cmd.Flags().Changed("data") || os.Getenv("BACKSTAYD_DATA") != "" {
		return s.data
	}
	return defaultData(!user)
}

// definition is the daemon of a data folder as a service.
func (s *settings) definition(data string, user bool) (svc.Definition, error) {
	own, err := os.Executable()
	if err != nil {
		return svc.Definition{}, fmt.Errorf("find this program: %w", err)
	}
	if data, err = filepath.Abs(data); err != nil {
		return svc.Definition{}, fmt.Errorf("find the data folder: %w", err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = data
	}
	o := daemonsvc.Options{User: user, Executable: own, DataDir: data, ConfigFile: filepath.Join(data, config.FileName),
		LogDir: svc.LogDir(svc.System{GOOS: runtime.GOOS, User: user, Home: home}, data)}
	if s.file != "" {
		if o.ConfigFile, err = filepath.Abs(s.file); err != nil {
			return svc.Definition{}, fmt.Errorf("find the configuration: %w", err)
		}
		o.Settings = append(o.Settings, "--config", o.ConfigFile)
	}
	if s.address != "" {
		o.Settings = append(o.Settings, "--address", s.address)
	}
	if s.listen != "" {
		o.Settings = append(o.Settings, "--listen", s.listen)
	}
	return daemonsvc.Definition(o), nil
}

// addService adds the commands about the daemon as a service.
func addService(root *cobra.Command, s *settings) {
	for _, v := range svc.Verbs {
		root.AddCommand(change(s, v.Verb, v.Short))
	}
	group := &cobra.Command{Use: "service", Short: "what the service manager calls", Hidden: true}
	group.AddCommand(serviceRun(s))
	root.AddCommand(group, status(s), logs(s))
}

func change(s *settings, verb svc.Verb, short string) *cobra.Command {
	var user bool
	o := svc.Order{Verb: verb}
	cmd := &cobra.Command{
		Use: string(verb), Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := svc.MayChange(user); err != nil {
				return err
			}
			if o.Definition, err = s.definition(s.folder(cmd, user), user); err != nil {
				return err
			}
			o.Folders = []string{o.DataDir}
			return svc.Control(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&user, "user", false, "your own service instead of the system's")
	if verb == svc.Install {
		cmd.Flags().BoolVar(&o.NoStart, "no-start", false, "do not start it now")
		cmd.Flags().StringVar(&s.listen, "listen", "", "host:port to listen on, kept in the service (default: what "+config.FileName+" says, or :"+config.DefaultPort+")")
	}
	if verb == svc.Uninstall {
		cmd.Flags().BoolVar(&o.Purge, "purge", false, "remove its data as well: hosts, plans, jobs and all logs")
	}
	return cmd
}

func serviceRun(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use: "run", Short: "run the daemon as its service", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := s.definition(s.data, !svc.Elevated())
			if err != nil {
				return err
			}
			cfg, level, err := s.loadServing()
			if err != nil {
				return err
			}
			log, end, err := svc.Logger(d, level, os.Stderr)
			if err != nil {
				return err
			}
			err = svc.Body(cmd.Context(), d, func(ctx context.Context) error { return logged(log, app.Run(ctx, cfg, log)) })
			return errors.Join(err, end.Close())
		},
	}
	cmd.Flags().StringVar(&s.listen, "listen", "", "host:port to listen on")
	return cmd
}

// logged tells the log, which is all that a service has, why the daemon ended.
func logged(log *slog.Logger, err error) error {
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("daemon ended", "err", err)
	}
	return err
}

func status(s *settings) *cobra.Command {
	var user bool
	cmd := &cobra.Command{
		Use: "status", Short: "is the daemon's service installed and running", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			own := user || !svc.Elevated()
			d, err := s.definition(s.folder(cmd, own), own)
			if err != nil {
				return err
			}
			m, err := svc.Open(cmd.Context(), d)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, m.Close()) }()
			state, err := m.State(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "service: %s\nconfig: %s\ndata: %s\n", state.String("backstayd"), d.Config, d.DataDir)
			return err
		},
	}
	cmd.Flags().BoolVar(&user, "user", false, "your own service")
	return cmd
}

func logs(s *settings) *cobra.Command {
	var user bool
	var v svc.View
	cmd := &cobra.Command{
		Use: "logs", Short: "show the service's own log", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			own := user || !svc.Elevated()
			d, err := s.definition(s.folder(cmd, own), own)
			if err != nil {
				return err
			}
			return svc.ShowLog(cmd.Context(), d, v, cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVarP(&v.Lines, "lines", "n", 100, "how many of the last lines")
	cmd.Flags().BoolVarP(&v.Follow, "follow", "f", false, "show what comes, until Ctrl-C")
	cmd.Flags().BoolVar(&user, "user", false, "your own service")
	return cmd
}

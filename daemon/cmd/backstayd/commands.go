package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/backstay/backstay/daemon/internal/app"
	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/svc"
)

// settings are the flags that more than one command has.
type settings struct {
	data, file, listen, address, level string
}

func root() *cobra.Command {
	s := &settings{}
	cmd := &cobra.Command{
		Use: "backstayd", Short: "Backstay's control daemon", Version: buildinfo.Version(), SilenceUsage: true, SilenceErrors: true,
		Long: "backstayd keeps a fleet's hosts, plans, jobs and logs, serves the HTTP API, and is where agents dial in.\n\n" +
			"Settings come from " + config.FileName + " in the data folder, the environment (BACKSTAYD_LISTEN, BACKSTAYD_ADDRESS, …) and flags, the last winning.",
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&s.data, "data", defaultData(svc.Elevated()), "data folder")
	flags.StringVar(&s.file, "config", "", "configuration file (default: "+config.FileName+" in the data folder)")
	flags.StringVar(&s.address, "address", "", "https://host:port under which agents reach the daemon (default: made from --listen)")
	cmd.AddCommand(serve(s), user(s), enrolToken(s), pinCommand(s), restored(s), version())
	addService(cmd, s)
	return cmd
}

// load gives the settings of all sources, checked.
func (s *settings) load() (config.Config, error) {
	c, err := s.merge()
	if err != nil {
		return c, err
	}
	return c, c.Validate()
}

// loadServing is load for the daemon itself.
func (s *settings) loadServing() (config.Config, slog.Level, error) {
	cfg, err := s.load()
	if err != nil {
		return cfg, 0, err
	}
	level, err := cfg.Level()
	return cfg, level, err
}

// loadServed is load for a program beside the daemon, which does not see the flags that the daemon was started with.
func (s *settings) loadServed() (config.Config, error) {
	c, err := s.merge()
	if err != nil {
		return c, err
	}
	c.AsServed()
	return c, c.Validate()
}

func (s *settings) merge() (config.Config, error) {
	c, err := config.Load(s.data, s.file, os.Getenv)
	if err != nil {
		return c, err
	}
	for from, to := range map[*string]*string{&s.listen: &c.Listen, &s.address: &c.Address, &s.level: &c.LogLevel} {
		if *from != "" {
			*to = *from
		}
	}
	return c, nil
}

func serve(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "run the daemon until it is stopped", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, level, err := s.loadServing()
			if err != nil {
				return err
			}
			return app.Run(cmd.Context(), cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
		},
	}
	cmd.Flags().StringVar(&s.listen, "listen", "", "host:port to listen on (default: :"+config.DefaultPort+")")
	cmd.Flags().StringVar(&s.level, "log-level", "", "debug, info, warn or error")
	return cmd
}

func user(s *settings) *cobra.Command {
	var role string
	var fromStdin bool
	add := &cobra.Command{
		Use: "add NAME", Short: "add a person who may sign in", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := readPassword(fromStdin)
			if err != nil {
				return err
			}
			return s.admin(cmd, func(a *app.Admin) error {
				u, err := a.AddUser(cmd.Context(), args[0], password, fleet.Role(role))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s may sign in as %s. Next: backstay login\n", u.Name, u.Role)
				return err
			})
		},
	}
	add.Flags().StringVar(&role, "role", string(fleet.RoleOperator), "viewer, operator or admin")
	add.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	cmd := &cobra.Command{Use: "user", Short: "people who may sign in"}
	cmd.AddCommand(add)
	return cmd
}

func enrolToken(s *settings) *cobra.Command {
	var quiet bool
	var valid time.Duration
	cmd := &cobra.Command{
		Use: "enrol-token", Short: "make a single-use token and print the line that enrols a host", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if valid != 0 && valid < time.Second {
				return fault.New(fault.InvalidInput, "--valid cannot be %v. Give a second or more, such as 90s or 24h.", valid)
			}
			return s.admin(cmd, func(a *app.Admin) error {
				t, err := a.EnrolmentToken(cmd.Context(), valid)
				if err != nil {
					return err
				}
				if quiet {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), t.Token)
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "On the host, until %s and once:\n\n  %s\n", t.ExpiresAt.Local().Format("15:04 on 2 January"), t.Command)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print the token alone")
	cmd.Flags().DurationVar(&valid, "valid", 0, "how long the token may be used (default 1h, at most 24h)")
	return cmd
}

func pinCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "pin", Short: "print the pin of the daemon's certificate authority", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.admin(cmd, func(a *app.Admin) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), a.Pin())
				return err
			})
		},
	}
}

func restored(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "restored", Short: "say that the data folder was put back from a copy", Args: cobra.NoArgs,
		Long: "Say that the data folder, or a part of it, was put back from a copy, before the daemon is started again. The agents then send\n" +
			"again what they still hold of the time since the copy: the jobs of the last three days, with their logs.\n\n" +
			"The daemon notices most copies by itself; this makes sure.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := actAsOwner(s.data); err != nil {
				return err
			}
			cfg, err := s.load()
			if err != nil {
				return err
			}
			if err := app.NoteRestored(cmd.Context(), cfg); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "Noted. The agents send again what they still hold once the daemon runs. Next: backstayd serve")
			return err
		},
	}
}

func version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "backstayd", buildinfo.Version())
			return err
		}}
}

// admin runs f on the daemon's data.
func (s *settings) admin(cmd *cobra.Command, f func(*app.Admin) error) error {
	if err := actAsOwner(s.data); err != nil {
		return err
	}
	cfg, err := s.loadServed()
	if err != nil {
		return err
	}
	a, err := app.OpenAdmin(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.Close())
}

// readPassword asks on the terminal, twice, or reads one line of standard input. It never comes from an argument.
func readPassword(fromStdin bool) (string, error) {
	if fromStdin {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", fault.New(fault.InvalidInput, "There is no terminal to ask for a password on. Give it on standard input with --password-stdin.")
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", fault.New(fault.InvalidInput, "The two passwords differ. Try again.")
	}
	return first, nil
}

func ask(prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(b), nil
}

package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/agent/internal/app"
	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/shared/svc"
)

// folder is the data folder that a command about a service means.
func folder(cmd *cobra.Command, data string, user bool) string {
	if cmd.Flags().Changed("data") || os.Getenv(config.DataEnv) != "" {
		return data
	}
	return defaultData(!user)
}

// addService adds the commands about the agent as a service.
func addService(root *cobra.Command, data *string) {
	for _, v := range svc.Verbs {
		root.AddCommand(change(data, v.Verb, v.Short))
	}
	group := &cobra.Command{Use: "service", Short: "what the service manager calls", Hidden: true}
	group.AddCommand(serviceRun(data))
	root.AddCommand(group, logs(data))
}

func change(data *string, verb svc.Verb, short string) *cobra.Command {
	var user, purge, noStart bool
	cmd := &cobra.Command{
		Use: string(verb), Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := svc.MayChange(user); err != nil {
				return err
			}
			o, err := app.ServiceOrder(verb, folder(cmd, *data, user), user)
			if err != nil {
				return err
			}
			o.Purge, o.NoStart = purge, noStart
			return svc.Control(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&user, "user", false, "your own service instead of the system's")
	if verb == svc.Install {
		cmd.Flags().BoolVar(&noStart, "no-start", false, "do not start it now")
	}
	if verb == svc.Uninstall {
		cmd.Flags().BoolVar(&purge, "purge", false, "remove its data as well: configuration, identity, repository passwords, logs, restored files in the data folder")
	}
	return cmd
}

func serviceRun(data *string) *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "run the agent as its service", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d, err := app.Service(*data, !svc.Elevated())
			if err != nil {
				return err
			}
			var level slog.LevelVar
			log, end, err := svc.Logger(d, &level, os.Stderr)
			if err != nil {
				return err
			}
			err = svc.Body(cmd.Context(), d, func(ctx context.Context) error {
				err := serve(ctx, *data, &level, log)
				if err != nil && !errors.Is(err, context.Canceled) {
					log.Error("agent ended", "err", err)
				}
				return err
			})
			return errors.Join(err, end.Close())
		},
	}
}

// serve is the service: what it has to say before its configuration is read goes to its log, too.
func serve(ctx context.Context, data string, level *slog.LevelVar, log *slog.Logger) error {
	if err := app.TakeEnrolment(ctx, data); err != nil {
		return err
	}
	cfg, err := config.Load(data, os.Getenv)
	if err != nil {
		return err
	}
	level.Set(cfg.Level())
	return app.Run(ctx, cfg, log)
}

// throughService has the system's service enrol the host: on Windows nobody else reaches its Credential Manager.
func throughService(ctx context.Context, o app.EnrolOptions) (config.Config, error) {
	if err := app.LeaveEnrolment(o); err != nil {
		return config.Config{}, err
	}
	order, err := app.ServiceOrder(svc.Install, o.DataDir, false)
	if err != nil {
		return config.Config{}, err
	}
	order.NextRun, order.Fresh = "", true
	if err := svc.Control(ctx, order, io.Discard); err != nil {
		return config.Config{}, err
	}
	cfg, err := app.AwaitEnrolment(ctx, o.DataDir)
	if err != nil {
		order.Verb = svc.Stop // it has nothing to do
		err = errors.Join(err, svc.Control(ctx, order, io.Discard))
	}
	return cfg, err
}

func logs(data *string) *cobra.Command {
	var user bool
	var v svc.View
	cmd := &cobra.Command{
		Use: "logs", Short: "show the service's own log (the logs of jobs are the daemon's: backstay jobs)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			own := user || !svc.Elevated()
			d, err := app.Service(folder(cmd, *data, own), own)
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

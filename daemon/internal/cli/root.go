package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/backstay/backstay/shared/buildinfo"
)

// cli is one run of the program.
type cli struct {
	env     Env
	json    bool
	started bool // the command's own code began: errors before that are errors of usage
}

const rootHelp = `backstay runs and follows backups on a fleet, over the HTTP API of its daemon.

Start with ` + "`backstay login https://daemon.example:7443`" + `. Every reading command takes --json.

For scripts, instead of a login:
  BACKSTAY_ADDRESS     the daemon's address, https://host:port
  BACKSTAY_PIN         the pin of the daemon's CA, as ` + "`backstayd pin`" + ` prints it
  BACKSTAY_TOKEN       an API token, as ` + "`backstay token create`" + ` prints it
  BACKSTAY_CONFIG_DIR  the folder of the profile that ` + "`backstay login`" + ` writes`

// Main runs the command line and gives the exit code.
func Main(ctx context.Context, env Env, args []string) int {
	c := &cli{env: env}
	root := c.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !c.started {
		text := err.Error() // cobra's own words, which say what and not what next
		err = usage("%s. See `%s --help`.", strings.ToUpper(text[:1])+text[1:], cmd.CommandPath())
	}
	report(env.Err, err, c.json)
	return exitCode(err)
}

// Root gives the commands, for their manual.
func Root(env Env) *cobra.Command { return (&cli{env: env}).root() }

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use: "backstay", Short: "Backups of a fleet, from the command line", Long: rootHelp,
		Version: buildinfo.Version(), SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(c.env.In)
	root.SetOut(c.env.Out)
	root.SetErr(c.env.Err)
	root.PersistentFlags().BoolVar(&c.json, "json", false, "write JSON (streams: one event a line), errors too")
	root.SetGlobalNormalizationFunc(synonyms)
	root.AddGroup(&cobra.Group{ID: "work", Title: "Backups:"}, &cobra.Group{ID: "fleet", Title: "The fleet:"}, &cobra.Group{ID: "access", Title: "Access:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add("work", c.backup(), c.restore(), c.check(), c.unlock(), c.init(), c.jobs(), c.snapshots())
	add("fleet", c.overview(), c.hosts(), c.enrolToken(), c.repositories(), c.plans())
	add("access", c.login(), c.logout(), c.whoami(), c.ownPassword(), c.tokens(), c.users(), c.audit())
	root.AddCommand(c.version(), exitCodesTopic())
	alias(root)
	return root
}

// alias lets one and many stand for each other.
func alias(root *cobra.Command) {
	for name, others := range map[string][]string{"hosts": {"host"}, "repo": {"repos", "repository", "repositories"}, "plan": {"plans"},
		"jobs": {"job"}, "snapshots": {"snapshot"}, "token": {"tokens"}, "user": {"users"}} {
		for _, cmd := range root.Commands() {
			if cmd.Name() == name {
				cmd.Aliases = others
			}
		}
	}
}

// synonyms lets flags be written out.
func synonyms(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "repository" {
		name = "repo"
	}
	return pflag.NormalizedName(name)
}

// leaf makes a command that does something.
func (c *cli) leaf(use, short string, args cobra.PositionalArgs, run func(ctx context.Context, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkNumbers(cmd); err != nil {
				return err
			}
			c.started = true
			return run(cmd.Context(), args)
		}}
}

// checkNumbers refuses flags that count or measure less than nothing, and times that would be cut to 0, which means something else:
// a token for a microsecond must not become one without end.
func checkNumbers(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch value := f.Value.String(); f.Value.Type() {
		case "int", "int64":
			if strings.HasPrefix(value, "-") {
				err = usage("--%s cannot be %s. Give 0 or more.", f.Name, value)
			}
		case "duration":
			if d, perr := time.ParseDuration(value); perr != nil || d < 0 || d > 0 && d < time.Millisecond {
				err = usage("--%s cannot be %s. Give a second or more, such as 90s or 24h.", f.Name, value)
			}
		}
	})
	return err
}

// group makes a command that only holds others. Called alone it shows them, or does what fallback does.
func (c *cli) group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(commands...)
	return cmd
}

func (c *cli) version() *cobra.Command {
	return c.leaf("version", "print the version", cobra.NoArgs, func(context.Context, []string) error {
		if c.json {
			return c.writeJSON(map[string]string{"version": buildinfo.Version()})
		}
		return c.say("backstay %s", buildinfo.Version())
	})
}

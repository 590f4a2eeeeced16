package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

func (c *cli) repositories() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return c.with(ctx, c.listRepositories(ctx)) }
	cmd := c.group("repo", "repositories, and the passwords that hosts hold for them",
		c.leaf("ls", "list the repositories", cobra.NoArgs, list),
		c.named(leafArgs{use: "show NAME", short: "all that is known of a repository", complete: repositoryNames}, c.showRepository),
		c.addRepository(), c.repositorySecret(), c.testRepository(), c.removeRepository())
	cmd.RunE = c.leaf("", "", nil, list).RunE
	return cmd
}

func (c *cli) listRepositories(ctx context.Context) func(*apiclient.Client) error {
	return func(client *apiclient.Client) error {
		repositories, err := client.Repositories(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return writeList(c, repositories)
		}
		hosts, err := client.Hosts(ctx)
		if err != nil {
			return err
		}
		t := newTable("NAME", "URL", "SNAPSHOTS", "LAST BACKUP", "LAST CHECK", "PASSWORD ON").numbers(2)
		for _, r := range repositories {
			t.add(show(r.Name), show(r.URL), count(r.SnapshotCount), c.mark(r.LastBackup), c.mark(r.LastCheck), orDash(shownAll(holders(hosts, r.ID))))
		}
		return t.write(c.env.Out, "There is no repository yet. Add one with `backstay repo add`.")
	}
}

// holders names the hosts that hold a repository's password.
func holders(hosts []fleet.Host, id fleet.RepositoryID) []string {
	var all []string
	for _, h := range hosts {
		for _, held := range h.Secrets {
			if held == id {
				all = append(all, h.Name)
			}
		}
	}
	return all
}

func (c *cli) showRepository(ctx context.Context, client *apiclient.Client, name string) error {
	r, err := client.Repository(ctx, name)
	if err != nil {
		return err
	}
	if c.json {
		return c.writeJSON(r)
	}
	hosts, err := client.Hosts(ctx)
	if err != nil {
		return err
	}
	var f facts
	f.add("name", show(r.Name))
	f.add("id", show(r.ID))
	f.add("url", show(r.URL))
	for _, name := range sortedKeys(r.Options) {
		f.add("option", show(name+"="+r.Options[name]))
	}
	if r.CACert != "" {
		f.add("ca certificate", "its own")
	}
	f.add("password on", orDash(shownAll(holders(hosts, r.ID))))
	listed := "never listed"
	if r.ListedAt != nil {
		listed = "listed " + c.ago(*r.ListedAt)
	}
	f.add("snapshots", count(r.SnapshotCount)+" ("+listed+")")
	f.add("last backup", c.mark(r.LastBackup))
	f.add("last check", c.mark(r.LastCheck))
	f.add("added", c.both(r.CreatedAt))
	return f.write(c.env.Out)
}

// mark tells how a job ended, and when: "succeeded 3 h ago".
func (c *cli) mark(m *fleet.JobMark) string {
	if m == nil {
		return "never"
	}
	text := show(m.State)
	if m.Reason != "" {
		text += " (" + show(m.Reason) + ")"
	}
	return text + " " + c.ago(m.At)
}

type addRepositoryFlags struct {
	url, caCert string
	options     map[string]string
	init        bool
	credentials credentialFlags
}

func (c *cli) addRepository() *cobra.Command {
	var f addRepositoryFlags
	cmd := c.leaf("add NAME [URL] [flags]", "add a repository and give hosts its password", cobra.RangeArgs(1, 2), func(ctx context.Context, args []string) error {
		if len(args) == 2 && f.url == "" {
			f.url = args[1]
		} else if len(args) == 2 || f.url == "" {
			return usage("Give the repository's URL once: as the second argument or with --url.")
		}
		return c.with(ctx, func(client *apiclient.Client) error { return c.doAddRepository(ctx, client, args[0], f) })
	})
	cmd.Long = "Add a repository, and give hosts its password.\n\n" + credentialsHelp
	cmd.Flags().StringVar(&f.url, "url", "", "restic's `URL` of the repository, without credentials, such as rest:https://backup.example/web/")
	cmd.Flags().StringVar(&f.caCert, "ca-cert", "", "`file` with the CA certificate (PEM) of the repository's server")
	cmd.Flags().StringToStringVar(&f.options, "option", nil, "restic's -o option `NAME=VALUE` (may be repeated)")
	cmd.Flags().BoolVar(&f.init, "init", false, "create the repository, on the first host, and follow that")
	f.credentials.add(cmd)
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"host": hostNames})
	return cmd
}

func (c *cli) doAddRepository(ctx context.Context, client *apiclient.Client, name string, f addRepositoryFlags) error {
	if _, err := fleet.ParseRepositoryURL(f.url); err != nil {
		return err
	}
	if f.init && len(f.credentials.hosts) == 0 {
		return usage("--init needs a host that creates the repository. Give --host.")
	}
	r := api.RepositoryRequest{Name: name, URL: f.url, Options: f.options}
	if f.caCert != "" {
		pem, err := os.ReadFile(f.caCert)
		if err != nil {
			return fault.Wrap(fault.InvalidInput, err, "The CA certificate %s cannot be read. Check --ca-cert.", f.caCert)
		}
		r.CACert = string(pem)
	}
	hosts, err := c.sealable(ctx, client, f.credentials.hosts)
	if err != nil {
		return err
	}
	var credentials secret.Credentials
	if len(hosts) > 0 {
		if credentials, err = c.readCredentials(ctx, f.credentials, f.init); err != nil {
			return err
		}
	}
	repository, err := client.AddRepository(ctx, r)
	if err != nil {
		return err
	}
	if c.json {
		if err := c.writeJSON(repository); err != nil {
			return err
		}
	} else if err := c.say("Repository %s is added.", show(repository.Name)); err != nil {
		return err
	}
	if err := c.giveSecrets(ctx, client, hosts, repository, credentials); err != nil {
		return err
	}
	if f.init {
		return c.start(ctx, client, startRequest{host: hosts[0].Name, job: api.JobRequest{Kind: fleet.KindInit, Repository: string(repository.ID)}, follow: followFlags{follow: true}})
	}
	if len(hosts) == 0 {
		return c.done("No host holds its password yet: `backstay repo secret %s --host HOST`.", show(repository.Name))
	}
	return c.done("Next: `backstay repo test %s --host %s`, or `backstay init %s --repo %s` when it does not exist yet.", show(repository.Name), show(hosts[0].Name), show(hosts[0].Name), show(repository.Name))
}

func (c *cli) testRepository() *cobra.Command {
	var host string
	cmd := c.named(leafArgs{use: "test NAME --host HOST", short: "let a host try to open a repository", complete: repositoryNames}, func(ctx context.Context, client *apiclient.Client, name string) error {
		h, err := client.Host(ctx, host)
		if err != nil {
			return err
		}
		result, err := client.TestRepository(ctx, name, h.ID)
		if err != nil {
			return err
		}
		took := span(time.Duration(result.ElapsedMS) * time.Millisecond)
		switch {
		case c.json:
			err = c.writeJSON(result)
		case result.OK:
			err = c.say("%s opens %s (%s). %s", show(h.Name), show(name), took, show(result.Message))
		default:
			err = c.say("%s cannot open %s (%s): %s", show(h.Name), show(name), took, show(result.Message))
		}
		if err == nil && !result.OK {
			return endedAs{fleet.StateFailed}
		}
		return err
	})
	cmd.Flags().StringVar(&host, "host", "", "the `host` that tries")
	required(cmd, "host")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"host": hostNames})
	return cmd
}

func (c *cli) removeRepository() *cobra.Command {
	var yes bool
	cmd := c.named(leafArgs{use: "rm NAME", short: "let Backstay forget a repository", complete: repositoryNames}, func(ctx context.Context, client *apiclient.Client, name string) error {
		r, err := client.Repository(ctx, name)
		if err != nil {
			return err
		}
		if err := c.confirm(ctx, yes, "Backstay forgets repository %s. Nothing is removed at %s; without its password nobody can read it. Forget?", show(r.Name), show(r.URL)); err != nil {
			return err
		}
		if err := client.DeleteRepository(ctx, string(r.ID)); err != nil {
			return err
		}
		return c.done("Repository %s is forgotten. What is in it stays.", show(r.Name))
	})
	yesFlag(cmd, &yes)
	return cmd
}

// required marks flags that must be given.
func required(cmd *cobra.Command, flags ...string) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, f := range flags {
			if !cmd.Flags().Changed(f) {
				return fmt.Errorf("--%s is missing", f)
			}
		}
		return run(cmd, args)
	}
}

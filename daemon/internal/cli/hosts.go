package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

func (c *cli) hosts() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return c.with(ctx, c.listHosts(ctx)) }
	cmd := c.group("hosts", "hosts and their agents",
		c.leaf("ls", "list the hosts", cobra.NoArgs, list),
		c.named(leafArgs{use: "show HOST", short: "all that is known of a host", complete: hostNames}, c.showHost),
		c.renameHost(), c.revokeHost())
	cmd.RunE = c.leaf("", "", nil, list).RunE
	return cmd
}

// seen is when a host was last heard of. The daemon notes it when a connection begins and ends, not with each sign of life.
func (c *cli) seen(h fleet.Host) string {
	if h.Online && h.RevokedAt == nil {
		return "now"
	}
	return c.agoOr(h.LastSeenAt, "never")
}

func (c *cli) listHosts(ctx context.Context) func(*apiclient.Client) error {
	return func(client *apiclient.Client) error {
		hosts, err := client.Hosts(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return writeList(c, hosts)
		}
		t := newTable("NAME", "STATE", "SYSTEM", "AGENT", "RESTIC", "PASSWORDS IN", "SEEN")
		for _, h := range hosts {
			t.add(show(h.Name), hostState(h), show(h.OS+"/"+h.Arch), show(h.AgentVersion), orDash(show(h.ResticVersion)), show(h.SecretStore), c.seen(h))
		}
		return t.write(c.env.Out, "No host is enrolled yet. Make a token with `backstay enrol-token`.")
	}
}

func hostState(h fleet.Host) string {
	switch {
	case h.RevokedAt != nil:
		return "revoked"
	case h.ClonedAt != nil:
		return "cloned"
	case h.Online:
		return "online"
	}
	return "away"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (c *cli) showHost(ctx context.Context, client *apiclient.Client, name string) error {
	h, err := client.Host(ctx, name)
	if err != nil {
		return err
	}
	if c.json {
		return c.writeJSON(h)
	}
	names, err := c.loadNames(ctx, client)
	if err != nil {
		return err
	}
	var f facts
	f.add("name", show(h.Name))
	f.add("id", show(h.ID))
	f.add("state", hostState(h))
	if h.Hostname != h.Name {
		f.add("host name", show(h.Hostname))
	}
	f.add("system", show(h.OS+"/"+h.Arch))
	f.add("agent", show(h.AgentVersion)+" ("+show(h.AgentID)+")")
	f.add("restic", orDash(show(h.ResticVersion)))
	f.add("passwords in", show(h.SecretStore))
	var held []string
	for _, id := range h.Secrets {
		held = append(held, names.repository(id))
	}
	f.add("passwords of", orDash(shownAll(held)))
	f.add("sealing key", show(h.SealingKey))
	f.add("restores to", show(h.RestoreRoot))
	if skew := time.Duration(h.ClockSkewMS) * time.Millisecond; skew.Abs() >= time.Second {
		f.add("clock", skew.Round(time.Second).String()+" off")
	}
	f.add("enrolled", c.both(h.EnrolledAt))
	f.add("seen", c.seen(h))
	if h.RevokedAt != nil {
		f.add("revoked", c.both(*h.RevokedAt))
	}
	if h.ClonedAt != nil {
		f.add("cloned", c.both(*h.ClonedAt)+": two machines use this host's identity and shut each other out. Stop one of them and enrol it anew: `backstay enrol-token`.")
	}
	if m := h.LastBackup; m != nil {
		f.add("last backup", c.both(m.At)+", "+size(m.Bytes)+", "+size(m.Added)+" added")
	}
	f.add("backups", strip(h.Backups))
	f.add("last job", show(h.LastJobID))
	return f.write(c.env.Out)
}

// strip tells how the last backups ended, oldest first, in runs: "12 succeeded, 1 failed, 1 succeeded".
func strip(marks []fleet.BackupMark) string {
	var runs []string
	for from := 0; from < len(marks); {
		to := from + 1
		for to < len(marks) && marks[to].State == marks[from].State {
			to++
		}
		runs = append(runs, count(int64(to-from))+" "+show(marks[from].State))
		from = to
	}
	return strings.Join(runs, ", ")
}

func (c *cli) renameHost() *cobra.Command {
	cmd := c.leaf("rename HOST NAME", "give a host another name", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return c.with(ctx, func(client *apiclient.Client) error {
			h, err := client.RenameHost(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			if c.json {
				return c.writeJSON(h)
			}
			return c.say("The host is called %s now.", show(h.Name))
		})
	})
	cmd.ValidArgsFunction = c.completeFirst(hostNames)
	return cmd
}

func (c *cli) revokeHost() *cobra.Command {
	var yes bool
	cmd := c.named(leafArgs{use: "revoke HOST", short: "end the trust in a host's agent", complete: hostNames}, func(ctx context.Context, client *apiclient.Client, name string) error {
		h, err := client.Host(ctx, name)
		if err != nil {
			return err
		}
		if err := c.confirm(ctx, yes, "The agent of %s is disconnected for good; what it runs goes on there, and its snapshots stay. Revoke?", show(h.Name)); err != nil {
			return err
		}
		if err := client.RevokeHost(ctx, h.ID); err != nil {
			return err
		}
		return c.done("The agent of %s is revoked. A new token (`backstay enrol-token --host %s`) lets it come back.", show(h.Name), show(h.Name))
	})
	yesFlag(cmd, &yes)
	return cmd
}

func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}

// done says what was done; with --json the exit code says it.
func (c *cli) done(format string, args ...any) error {
	if c.json {
		return nil
	}
	return c.say(format, args...)
}

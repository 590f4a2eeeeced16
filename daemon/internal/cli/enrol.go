package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
)

func (c *cli) enrolToken() *cobra.Command {
	var host string
	var valid time.Duration
	cmd := c.leaf("enrol-token [flags]", "make a single-use token that enrols an agent", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return c.with(ctx, func(client *apiclient.Client) error {
			r := api.EnrolmentTokenRequest{ValidForMS: valid.Milliseconds()}
			if host != "" {
				h, err := client.Host(ctx, host)
				if err != nil {
					return err
				}
				r.HostID = h.ID
			}
			t, err := client.CreateEnrolmentToken(ctx, r)
			if err != nil {
				return err
			}
			if c.json {
				return c.writeJSON(t)
			}
			return c.say("Run this on the host; it works once, until %s:\n\n  %s\n", c.at(t.ExpiresAt), show(t.Command))
		})
	})
	cmd.AddCommand(c.leaf("ls", "list the enrolment tokens of the last days", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return c.with(ctx, c.listEnrolments(ctx))
	}), c.revokeEnrolment())
	cmd.Flags().StringVar(&host, "host", "", "enrol this known `host` anew")
	cmd.Flags().DurationVar(&valid, "valid", 0, "how long the token may be used (default 1h, at most 24h)")
	return cmd
}

func (c *cli) listEnrolments(ctx context.Context) func(*apiclient.Client) error {
	return func(client *apiclient.Client) error {
		tokens, err := client.EnrolmentTokens(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return writeList(c, tokens)
		}
		n, err := c.loadNames(ctx, client)
		if err != nil {
			return err
		}
		t := newTable("ID", "STATE", "HOST", "MADE BY", "MADE", "USED", "ENDS")
		for _, e := range tokens {
			host := "a new one"
			if e.HostID != "" {
				host = show(n.host(e.HostID))
			}
			t.add(show(e.ID), c.enrolmentState(e), host, show(e.CreatedBy), c.ago(e.CreatedAt), c.agoOr(e.UsedAt, "never"), c.ago(e.ExpiresAt))
		}
		return t.write(c.env.Out, "There is no enrolment token of the last days. Make one with `backstay enrol-token`.")
	}
}

func (c *cli) enrolmentState(e api.Enrolment) string {
	switch {
	case e.UsedAt != nil:
		return "used"
	case !c.env.Now().Before(e.ExpiresAt):
		return "expired"
	}
	return "open"
}

func (c *cli) revokeEnrolment() *cobra.Command {
	return c.named(leafArgs{use: "revoke ID", short: "revoke an enrolment token that was not used"}, func(ctx context.Context, client *apiclient.Client, id string) error {
		if err := client.RevokeEnrolmentToken(ctx, id); err != nil {
			return err
		}
		return c.done("Enrolment token %s is revoked.", show(id))
	})
}

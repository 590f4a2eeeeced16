package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func (c *cli) tokens() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return c.with(ctx, c.listTokens(ctx)) }
	cmd := c.group("token", "API tokens for scripts", c.leaf("ls", "list the API tokens", cobra.NoArgs, list), c.createToken(), c.removeToken())
	cmd.RunE = c.leaf("", "", nil, list).RunE
	return cmd
}

func (c *cli) listTokens(ctx context.Context) func(*apiclient.Client) error {
	return func(client *apiclient.Client) error {
		tokens, err := client.Tokens(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return writeList(c, tokens)
		}
		t := newTable("NAME", "ROLE", "MADE BY", "MADE", "USED", "ENDS", "ID")
		for _, v := range tokens {
			t.add(show(v.Name), show(v.Role), show(v.CreatedBy), c.ago(v.CreatedAt), c.agoOr(v.LastUsedAt, "never"), c.agoOr(v.ExpiresAt, "never"), show(v.ID))
		}
		return t.write(c.env.Out, "There is no API token. Make one with `backstay token create`.")
	}
}

func (c *cli) createToken() *cobra.Command {
	var role string
	var valid time.Duration
	cmd := c.leaf("create NAME [flags]", "make an API token; it is shown this once", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return c.with(ctx, func(client *apiclient.Client) error {
			t, err := client.CreateToken(ctx, api.TokenRequest{Name: args[0], Role: fleet.Role(role), ValidForMS: valid.Milliseconds()})
			if err != nil {
				return err
			}
			if c.json {
				return c.writeJSON(t)
			}
			c.tell("API token %s (%s). It is shown this once; use it as BACKSTAY_TOKEN:", show(t.Name), show(t.Role))
			return c.say("%s", show(t.Secret))
		})
	})
	cmd.Flags().StringVar(&role, "role", string(fleet.RoleViewer), "`role`: viewer, operator or admin")
	cmd.Flags().DurationVar(&valid, "valid", 0, "how long the token may be used, such as 720h (default: without end)")
	return cmd
}

func (c *cli) removeToken() *cobra.Command {
	var yes bool
	cmd := c.named(leafArgs{use: "rm NAME|ID", short: "revoke an API token"}, func(ctx context.Context, client *apiclient.Client, name string) error {
		tokens, err := client.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.ID != name && t.Name != name {
				continue
			}
			if err := c.confirm(ctx, yes, "What uses the token %s stops working at once. Revoke?", show(t.Name)); err != nil {
				return err
			}
			if err := client.DeleteToken(ctx, t.ID); err != nil {
				return err
			}
			return c.done("Token %s is revoked.", show(t.Name))
		}
		return fault.New(fault.NotFound, "There is no API token %s. `backstay token ls` lists them.", name)
	})
	yesFlag(cmd, &yes)
	return cmd
}

func (c *cli) audit() *cobra.Command {
	var after int64
	var limit int
	var newest bool
	cmd := c.leaf("audit [flags]", "who changed what, oldest first", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return c.with(ctx, func(client *apiclient.Client) error {
			read := client.Audit
			if newest {
				read = client.NewestAudit
			}
			rows, err := auditRows(ctx, read, after, limit)
			if err != nil {
				return err
			}
			if c.json {
				return writeList(c, rows)
			}
			t := newTable("SEQ", "TIME", "WHO", "WHAT", "ON", "DETAIL").numbers(0)
			for _, r := range rows {
				t.add(count(r.Seq), c.at(r.At), show(r.Actor), show(r.Action), show(r.Object), show(r.Detail))
			}
			return t.write(c.env.Out, "Nothing was changed.")
		})
	})
	cmd.Flags().Int64Var(&after, "after", 0, "begin after this `row`, in the order of the list")
	cmd.Flags().BoolVar(&newest, "newest", false, "newest first")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so `many`; 0 for all")
	return cmd
}

func auditRows(ctx context.Context, read func(context.Context, int64, int) (api.Page[api.AuditRow], error), after int64, limit int) ([]api.AuditRow, error) {
	var rows []api.AuditRow
	for {
		ask := maxPage
		if limit > 0 {
			ask = min(limit-len(rows), maxPage)
		}
		page, err := read(ctx, after, ask)
		if err != nil {
			return nil, err
		}
		rows = append(rows, page.Items...)
		if page.Next == "" || len(page.Items) == 0 || limit > 0 && len(rows) >= limit {
			return rows, nil
		}
		after = page.Items[len(page.Items)-1].Seq
	}
}

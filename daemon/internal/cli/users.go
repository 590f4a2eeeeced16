package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

func (c *cli) users() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return c.with(ctx, c.listUsers(ctx)) }
	cmd := c.group("user", "people who may sign in", c.leaf("ls", "list the users", cobra.NoArgs, list), c.addUser(), c.setUser(), c.removeUser())
	cmd.RunE = c.leaf("", "", nil, list).RunE
	return cmd
}

func (c *cli) listUsers(ctx context.Context) func(*apiclient.Client) error {
	return func(client *apiclient.Client) error {
		users, err := client.Users(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return writeList(c, users)
		}
		t := newTable("NAME", "ROLE", "ADDED")
		for _, u := range users {
			t.add(show(u.Name), show(u.Role), c.ago(u.CreatedAt))
		}
		return t.write(c.env.Out, "There is no user.")
	}
}

func (c *cli) addUser() *cobra.Command {
	var role string
	var fromStdin bool
	cmd := c.leaf("add NAME [flags]", "add a person who may sign in", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		password, err := c.givenPassword(ctx, "password of the new user", fromStdin)
		if err != nil {
			return err
		}
		return c.with(ctx, func(client *apiclient.Client) error {
			u, err := client.CreateUser(ctx, api.UserRequest{Name: args[0], Password: password.Reveal(), Role: fleet.Role(role)})
			if err != nil {
				return err
			}
			if c.json {
				return c.writeJSON(u)
			}
			return c.say("%s may sign in as %s.", show(u.Name), show(u.Role))
		})
	})
	cmd.Flags().StringVar(&role, "role", string(fleet.RoleOperator), "`role`: viewer, operator or admin")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

// givenPassword takes a new password from the terminal, twice, or from standard input.
func (c *cli) givenPassword(ctx context.Context, what string, fromStdin bool) (secret.Secret, error) {
	if !fromStdin {
		return c.newPassword(ctx, what, "Give it on standard input with --password-stdin.")
	}
	lines, err := c.stdinLines(what)
	if err != nil {
		return secret.Secret{}, err
	}
	return lines[0], nil
}

type setUserFlags struct {
	role              string
	password, onStdin bool
}

func (c *cli) setUser() *cobra.Command {
	var f setUserFlags
	cmd := c.named(leafArgs{use: "set NAME [flags]", short: "give a user another role or password"}, func(ctx context.Context, client *apiclient.Client, name string) error {
		change := api.UserChange{Role: fleet.Role(f.role)}
		if f.password || f.onStdin {
			password, err := c.givenPassword(ctx, "new password of "+show(name), f.onStdin)
			if err != nil {
				return err
			}
			change.Password = password.Reveal()
		}
		if change == (api.UserChange{}) {
			return usage("Nothing is to be changed. Give --role, --password or --password-stdin.")
		}
		u, err := client.ChangeUser(ctx, name, change)
		if err != nil {
			return err
		}
		if c.json {
			return c.writeJSON(u)
		}
		return c.say("%s may sign in as %s; what sessions there were have ended.", show(u.Name), show(u.Role))
	})
	cmd.Flags().StringVar(&f.role, "role", "", "`role`: viewer, operator or admin")
	cmd.Flags().BoolVar(&f.password, "password", false, "ask for a new password")
	cmd.Flags().BoolVar(&f.onStdin, "password-stdin", false, "read the new password from standard input")
	return cmd
}

func (c *cli) ownPassword() *cobra.Command {
	var fromStdin bool
	cmd := c.leaf("password [flags]", "change your own password", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return c.with(ctx, func(client *apiclient.Client) error {
			old, fresh, err := c.oldAndNew(ctx, fromStdin)
			if err != nil {
				return err
			}
			if err := client.ChangePassword(ctx, api.PasswordChange{Old: old.Reveal(), New: fresh.Reveal()}); err != nil {
				return err
			}
			return c.done("Your password is changed; your other sessions have ended.")
		})
	})
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the old and the new password from standard input, a line each")
	return cmd
}

func (c *cli) oldAndNew(ctx context.Context, fromStdin bool) (old, fresh secret.Secret, err error) {
	if fromStdin {
		lines, err := c.stdinLines("old password", "new password")
		if err != nil {
			return old, fresh, err
		}
		return lines[0], lines[1], nil
	}
	const otherwise = "Give the old and the new one on standard input with --password-stdin."
	if old, err = c.password(ctx, "old password", otherwise); err != nil {
		return old, fresh, err
	}
	fresh, err = c.newPassword(ctx, "new password", otherwise)
	return old, fresh, err
}

func (c *cli) removeUser() *cobra.Command {
	var yes bool
	cmd := c.named(leafArgs{use: "rm NAME", short: "remove a user with all sessions, API tokens and unused enrolment tokens of theirs"}, func(ctx context.Context, client *apiclient.Client, name string) error {
		users, err := client.Users(ctx)
		if err != nil {
			return err
		}
		for _, u := range users {
			if u.Name != name && string(u.ID) != name {
				continue
			}
			if err := c.confirm(ctx, yes, "%s is signed out everywhere and cannot sign in any more. Remove?", show(u.Name)); err != nil {
				return err
			}
			if err := client.DeleteUser(ctx, u.ID); err != nil {
				return err
			}
			return c.done("User %s is removed.", show(u.Name))
		}
		return fault.New(fault.NotFound, "There is no user %s. `backstay user ls` lists them.", name)
	})
	yesFlag(cmd, &yes)
	return cmd
}

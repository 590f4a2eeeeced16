package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// maxInput bounds what is read from standard input in bytes.
const maxInput = 64 << 10

// password asks for a secret on the terminal.
func (c *cli) password(ctx context.Context, what, otherwise string) (secret.Secret, error) {
	if !c.env.Terminal.Interactive() {
		return secret.Secret{}, usage("There is no terminal to ask for the %s on. %s", what, otherwise)
	}
	_, _ = fmt.Fprintf(c.env.Err, "%s: ", strings.ToUpper(what[:1])+what[1:]) // a person sees what is missing
	text, err := c.env.Terminal.ReadPassword(ctx)
	c.tell("")
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(text), nil
}

// newPassword asks twice.
func (c *cli) newPassword(ctx context.Context, what, otherwise string) (secret.Secret, error) {
	first, err := c.password(ctx, what, otherwise)
	if err != nil {
		return first, err
	}
	second, err := c.password(ctx, "again, the "+what, otherwise)
	if err != nil {
		return second, err
	}
	if !first.Equal(second) {
		return secret.Secret{}, fault.New(fault.InvalidInput, "The two are not the same. Try again.")
	}
	return first, nil
}

// confirm asks a yes-or-no question; yes answers it beforehand. Without a terminal, only yes is one.
func (c *cli) confirm(ctx context.Context, yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	question := fmt.Sprintf(format, args...)
	if !c.env.Terminal.Interactive() {
		return usage("%s There is no terminal to ask on. Give --yes if you are sure.", question)
	}
	_, _ = fmt.Fprintf(c.env.Err, "%s [y/N] ", question) // a person sees what is missing
	answer, err := c.env.Terminal.ReadLine(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return fault.New(fault.Conflict, "Nothing was done.")
}

// stdinLines reads n lines from standard input, for scripts: each is a secret, so there must be exactly as many as asked for.
func (c *cli) stdinLines(names ...string) ([]secret.Secret, error) {
	r := bufio.NewReader(io.LimitReader(c.env.In, maxInput))
	var all []secret.Secret
	for i, name := range names {
		line, err := r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return nil, usage("Line %d of standard input is missing: the %s. Give one line for each of: %s.", i+1, name, strings.Join(names, ", "))
		}
		all = append(all, secret.New(line))
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	if strings.TrimSpace(string(rest)) != "" {
		return nil, usage("Standard input has more than %d lines. Give one line for each of: %s.", len(names), strings.Join(names, ", "))
	}
	return all, nil
}

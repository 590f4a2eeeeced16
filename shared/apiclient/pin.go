package apiclient

import (
	"context"

	"github.com/backstay/backstay/shared/pin"
)

// FetchPin asks the server at a daemon's address for its CA pin, to be shown to a person who compares it with the one that the
// daemon printed. The answer is no better than the network it came over.
func FetchPin(ctx context.Context, address string) (string, error) {
	base, err := ParseAddress(address)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	return pin.Fetch(ctx, base)
}

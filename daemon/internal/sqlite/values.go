package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
)

// Times are stored as microseconds since 1970 UTC and come back so.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func microsOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return micros(*t)
}

// when scans a time.
type when struct{ t *time.Time }

func (w when) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("scan time: got %T", v)
	}
	*w.t = fromMicros(n)
	return nil
}

// maybe scans a time that may be missing.
type maybe struct{ t **time.Time }

func (m maybe) Scan(v any) error {
	if v == nil {
		*m.t = nil
		return nil
	}
	var t time.Time
	*m.t = &t
	return when{&t}.Scan(v)
}

// stored is t as it comes back from the store.
func stored(t time.Time) time.Time { return fromMicros(micros(t)) }

func storedOrNil(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	v := stored(*t)
	return &v
}

// asJSON scans a JSON column.
type asJSON struct{ v any }

func (a asJSON) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("scan JSON: got %T", v)
	}
	return json.Unmarshal([]byte(text), a.v)
}

// jsonOrNull scans a JSON column that may be missing; what is missing stays as it is.
type jsonOrNull struct{ v any }

func (j jsonOrNull) Scan(v any) error {
	if v == nil {
		return nil
	}
	return asJSON(j).Scan(v)
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode column: %w", err)
	}
	return string(b), nil
}

// scanner is a row or rows.
type scanner interface{ Scan(dest ...any) error }

// one reads the single row of a query; none is control.ErrNotFound.
func one[T any](ctx context.Context, q querier, what string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, query, args...))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		var zero T
		return zero, fmt.Errorf("%s: %w", what, control.ErrNotFound)
	case err != nil:
		return v, fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

// many reads all rows of a query; none is an empty, never a nil, slice.
func many[T any](ctx context.Context, q querier, what string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// text scans a single string column.
func text[T ~string](s scanner) (T, error) {
	var v string
	err := s.Scan(&v)
	return T(v), err
}

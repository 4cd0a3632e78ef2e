package store

import (
	"strings"
	"testing"
)

// S76: a password that was not percent-encoded is not looked up as a host, and no
// error repeats a part of it.
func TestPostgresURLRefused(t *testing.T) {
	const ambiguous = "percent-encode the password"
	for _, tt := range []struct{ source, want string }{
		{"postgres://canaryu:canary:ec@canaryret@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:12/canary34@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:12?canary34@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:12#canary34@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:1/canary2#3@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:12#canary34", ambiguous},
		{"postgres://canaryu:canary@x/y@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:canary@x?y=z@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:canary pass@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:canary%zz@canaryh/canarydb", ambiguous},
		{`postgres://canaryu:canary\pass@canaryh/canarydb`, ambiguous},
		{"postgres://canaryu:[canary]@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:canary\n@canaryh/canarydb", ambiguous},
		{"postgres://canary/2@canaryh/canarydb", ambiguous},
		{"postgres://canaryu:12/34%40canaryh/canarydb", ambiguous},
		{"postgres://canaryu@one,two/db?host=canary%40h", ambiguous},
		{"postgres://canaryu/db?dbname=canary%40h", ambiguous},
		{"postgres://canaryu:canarypass", "invalid port"},
		{"postgres://canaryu:canary`: pass", ambiguous},
		{"postgres://u:canary@h/db?channel_binding=x%60:%20canary", "unknown channel_binding value"},
		{"postgres://u:canary@h:canary/db", "invalid port"},
		{"postgres://u:canary@h/db?sslmode=canary", "failed to configure TLS"},
		{"postgres://u:canary@h/db?sslmode=verify-full&sslrootcert=/canary", "failed to configure TLS: no such file"},
		{"postgres://u:canary@h/db?connect_timeout=canary", "invalid connect_timeout"},
		{"postgres://u:canary@h/db?target_session_attrs=canary", "unknown target_session_attrs value"},
		{"postgres://u:canary@h/db?password=canary&canary", "failed to parse as URL"},
		{"postgres://u:canary@h/db?default_query_exec_mode=canary", "invalid default_query_exec_mode"},
		{"postgres://u:canary@h/db?min_protocol_version=canary", "invalid min_protocol_version"},
	} {
		_, err := Open(t.Context(), tt.source, Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "store: database url: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Open(%q) = %v, want %q", tt.source, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("Open(%q) = %v: it tells a part of the URL", tt.source, err)
		}
	}
}

func TestPostgresURL(t *testing.T) {
	for _, tt := range []struct{ source, host, database, user, password string }{
		{"postgres://u:s%3Aec%40ret@h/db", "h", "db", "u", "s:ec@ret"},
		{"postgres://u:s:ec@h/db", "h", "db", "u", "s:ec"},
		{"postgres://u:1%2F2%3F3%234%255@h/db", "h", "db", "u", "1/2?3#4%5"},
		{"postgresql://u:a-b.c_d~e!f$g&h'i(j)k*l+m,n;o=p@h/db", "h", "db", "u", "a-b.c_d~e!f$g&h'i(j)k*l+m,n;o=p"},
		{"postgres://u:p@one:1,two:2/db", "one", "db", "u", "p"},
		{"postgres://u:p@[::1]:5433/db", "::1", "db", "u", "p"},
		{"postgres://u:p@/db?host=/run/postgresql", "/run/postgresql", "db", "u", "p"},
		{"postgres:///db?host=/run/postgresql&user=u&password=a%40b", "/run/postgresql", "db", "u", "a@b"},
	} {
		config, err := postgresConfig(tt.source)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		if config.Host != tt.host || config.Database != tt.database || config.User != tt.user || config.Password != tt.password {
			t.Errorf("%s: host %q, database %q, user %q, password %q", tt.source, config.Host, config.Database, config.User, config.Password)
		}
	}
}

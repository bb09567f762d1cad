package config_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"berkas/internal/config"
)

var (
	composeBlock = regexp.MustCompile(`^(?:  )?([a-z-]+):(?: &\w+)?$`)
	composeValue = regexp.MustCompile(`^\s+([A-Z][A-Z_]*): (.*)$`)
	composeAsks  = regexp.MustCompile(`\$\{([A-Z_]+):([?-])[^}]*\}`)
	dockerValue  = regexp.MustCompile(`([A-Z][A-Z_]*)=(\S+)`)
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compose is the environment of each service in docker-compose.yml, filled in from what people set. What x-environment
// holds is in the services that name it.
func compose(t *testing.T, set env) map[string]env {
	t.Helper()
	all := map[string]env{}
	block := ""
	for line := range strings.Lines(read(t, "docker-compose.yml")) {
		line = strings.TrimRight(line, "\n")
		if m := composeBlock.FindStringSubmatch(line); m != nil {
			block = m[1]
			all[block] = env{}
		}
		if strings.Contains(line, "*environment") {
			for name, value := range all["x-environment"] {
				all[block][name] = value
			}
		}
		if m := composeValue.FindStringSubmatch(line); m != nil {
			all[block][m[1]] = composeAsks.ReplaceAllStringFunc(m[2], func(asks string) string {
				what := composeAsks.FindStringSubmatch(asks)
				if what[2] == "?" && set[what[1]] == "" {
					t.Errorf("%s must be set, and is not", what[1])
				}
				if set[what[1]] != "" {
					return set[what[1]]
				}
				return strings.TrimSuffix(asks[strings.Index(asks, ":-")+2:], "}")
			})
		}
	}
	return all
}

// What docker-compose.yml and the Dockerfile set is known, and makes a configuration, with DOKU and with the simulator.
func TestComposeConfigures(t *testing.T) {
	t.Parallel()
	secrets := env{"OWNER_PASSWORD": "owner", "BERKAS_PASSWORD": "program", "ENCRYPTION_KEY": key, "PUBLIC_URL": "https://berkas.example"}
	image := env{}
	for line := range strings.Lines(read(t, "Dockerfile")) {
		if values, ok := strings.CutPrefix(line, "ENV "); ok {
			for _, m := range dockerValue.FindAllStringSubmatch(values, -1) {
				image[m[1]] = m[2]
			}
		}
	}
	if image["DATA_DIR"] != "/data" {
		t.Errorf("the image keeps its data in %q", image["DATA_DIR"])
	}
	var known []string
	for line := range strings.Lines(config.Table()) {
		for _, name := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(strings.Join(strings.SplitN(line, "|", 4)[1:2], ""), -1) {
			known = append(known, name[1])
		}
	}
	for mode, more := range map[string]env{
		"the simulator": secrets.with("DOKU_MODE", "simulator", "DOKU_BASE_URL", "http://simulator:8090", "SIMULATOR_SECRET_KEY", "SK-own"),
		"DOKU":          secrets.with("DOKU_MODE", "production", "DOKU_CLIENT_ID", "BRN-1", "DOKU_SECRET_KEY", "SK-1"),
	} {
		services := compose(t, more)
		for _, service := range []string{"migrate", "portal", "simulator"} {
			e := image.with()
			for name, value := range services[service] {
				if !slices.Contains(known, name) {
					t.Errorf("%s sets %s, which nothing reads", service, name)
				}
				e[name] = value
			}
			if len(e) < 5 {
				t.Fatalf("%s was read as %v", service, e)
			}
			c, err := e.load()
			if err != nil {
				t.Errorf("%s with %s: %v", service, mode, err)
			}
			if service != "simulator" && (c.Embedded() || c.OwnSimulator() || c.Demo()) {
				t.Errorf("%s with %s runs things of its own", service, mode)
			}
		}
	}
}

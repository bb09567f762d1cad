package onboarding

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"berkas/models"
)

// What can be wrong with a bundle.
const (
	FlawFileMissing = "file_missing"
	FlawFileExtra   = "file_extra"   // a file that SHA256SUMS does not name
	FlawFileChanged = "file_changed" // a file that is not what SHA256SUMS says, or cannot be read
	FlawNotProved   = "not_proved"   // a row that does not lead to the root of its seal
	FlawSealUnknown = "seal_unknown" // a row of a seal that is not in the bundle
	FlawStranger    = "stranger"     // a row of another merchant, or one that comes twice or out of its order
	FlawUnlike      = "unlike"       // a line of the timeline that does not say what the proved row says
)

// EvidenceFlaw is the first thing of a bundle that does not hold.
type EvidenceFlaw struct {
	What string
	File string
	Line int   // of the file, from 1; 0 when it is about a whole file
	Row  int64 // the audit row's id, where one is known
}

// EvidenceReport is what is in a bundle that was checked.
type EvidenceReport struct {
	Merchant models.MerchantID
	MadeAt   time.Time
	Files    int // whose hash holds
	Rows     int // that are proved
	Complete int // of them those up to the newest seal: as many as the merchant has
	Unsealed int // that were not sealed yet when the bundle was made
	Newest   SealFact
	Seals    []SealFact
	Flaw     *EvidenceFlaw
}

const maxProofLine = 1 << 20 // bytes

// CheckEvidence holds a bundle against itself, with neither database nor key: its files against their hashes, each audit row
// against the root of its seal, the timeline against the proved rows. It stops at the first flaw. That the seals are the
// trail's own only the trail's keeper can tell.
func CheckEvidence(r io.ReaderAt, size int64) (report EvidenceReport, err error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return report, err
	}
	c := &evidenceCheck{archive: archive, report: &report}
	for _, step := range []func() error{c.files, c.seals, c.rows} {
		if err := step(); err != nil || report.Flaw != nil {
			return report, err
		}
	}
	return report, nil
}

type evidenceCheck struct {
	archive *zip.Reader
	report  *EvidenceReport
	roots   map[int64]SealFact
}

func (c *evidenceCheck) flaw(what, file string, line int, row int64) {
	if c.report.Flaw == nil {
		c.report.Flaw = &EvidenceFlaw{what, file, line, row}
	}
}

// files holds every file against SHA256SUMS.
func (c *evidenceCheck) files() error {
	sums, err := c.readSums()
	if err != nil || c.report.Flaw != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range c.archive.File {
		sum, named := sums[f.Name]
		switch {
		case seen[f.Name], !named && f.Name != evidenceSums:
			c.flaw(FlawFileExtra, f.Name, 0, 0)
		case named && !c.holds(f, sum):
			c.flaw(FlawFileChanged, f.Name, 0, 0)
		case named:
			c.report.Files++
		}
		if seen[f.Name] = true; c.report.Flaw != nil {
			return nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if !seen[name] {
			c.flaw(FlawFileMissing, name, 0, 0)
		}
	}
	return nil
}

func (c *evidenceCheck) readSums() (map[string]string, error) {
	f, err := c.archive.Open(evidenceSums)
	if errors.Is(err, fs.ErrNotExist) {
		c.flaw(FlawFileMissing, evidenceSums, 0, 0)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxProofLine))
	if err != nil {
		c.flaw(FlawFileChanged, evidenceSums, 0, 0)
		return nil, nil
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		sums[name] = sum
	}
	for _, name := range evidenceFiles {
		if _, named := sums[name]; !named && name != evidenceSent { // bundles made by earlier versions have none
			c.flaw(FlawFileMissing, name, 0, 0)
		}
	}
	return sums, nil
}

func (c *evidenceCheck) holds(f *zip.File, sum string) bool {
	body, err := f.Open()
	if err != nil {
		return false
	}
	defer body.Close()
	h := sha256.New()
	_, err = io.Copy(h, body)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == sum
}

func (c *evidenceCheck) seals() error {
	f, err := c.archive.Open(evidenceSeals)
	if err != nil {
		return err
	}
	defer f.Close()
	var list sealList
	if err := json.NewDecoder(f).Decode(&list); err != nil {
		c.flaw(FlawFileChanged, evidenceSeals, 0, 0)
		return nil
	}
	c.report.Merchant, c.report.MadeAt, c.report.Newest, c.report.Seals = list.Merchant, list.MadeAt, list.Newest, list.Seals
	c.roots = map[int64]SealFact{}
	for _, seal := range list.Seals {
		c.roots[seal.Seal] = seal
	}
	return nil
}

// rows proves each row, and goes along the timeline beside it: both are in the order of rows.
func (c *evidenceCheck) rows() error {
	proofs, err := c.archive.Open(evidenceProofs)
	if err != nil {
		return err
	}
	defer proofs.Close()
	timeline, err := c.archive.Open(evidenceTimeline)
	if err != nil {
		return err
	}
	defer timeline.Close()
	events := &eventLines{csv: csv.NewReader(timeline)}
	events.next() // the names of the columns
	if !slices.Equal(events.cells, AuditColumns) {
		c.flaw(FlawUnlike, evidenceTimeline, 1, 0)
		return nil
	}
	events.next()
	lines := bufio.NewScanner(proofs)
	lines.Buffer(nil, maxProofLine)
	last := int64(0)
	for n := 1; lines.Scan(); n++ {
		row, what := c.row(lines.Bytes(), last)
		if what != "" {
			c.flaw(what, evidenceProofs, n, row.ID)
			return nil
		}
		last = row.ID
		if !saysSo(events.cells, row) {
			c.flaw(FlawUnlike, evidenceTimeline, events.line, row.ID)
			return nil
		}
		events.next()
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if !events.done {
		c.flaw(FlawUnlike, evidenceTimeline, events.line, 0)
	}
	return nil
}

// row proves one row; last is the one before it.
func (c *evidenceCheck) row(text []byte, last int64) (row models.Proven, what string) {
	p, sealed, err := readProof(text)
	if err == nil {
		row, err = p.Says()
	}
	if err != nil {
		return row, FlawNotProved
	}
	if row.MerchantID != c.report.Merchant || row.ID <= last {
		return row, FlawStranger
	}
	if !sealed {
		c.report.Unsealed++
		return row, ""
	}
	seal, known := c.roots[p.Seal]
	if !known {
		return row, FlawSealUnknown
	}
	root, ok := p.Root()
	if want, err := hex.DecodeString(seal.Root); !ok || err != nil || p.Rows != seal.Rows || !bytes.Equal(root, want) {
		return row, FlawNotProved
	}
	c.report.Rows++
	if p.Seal <= c.report.Newest.Seal {
		c.report.Complete++
	}
	return row, ""
}

func readProof(text []byte) (p models.Proof, sealed bool, err error) {
	var line proofLine
	if err := json.Unmarshal(text, &line); err != nil {
		return p, false, err
	}
	p.Transaction, p.Content = line.Transaction, line.Content
	if p.Mac, err = hex.DecodeString(line.Mac); err != nil || line.Seal == nil {
		return p, false, err
	}
	if line.Position == nil || line.Rows == nil {
		return p, false, errors.New("onboarding: a sealed row without its place")
	}
	p.Seal, p.Position, p.Rows = *line.Seal, *line.Position, *line.Rows
	for _, node := range line.Path {
		hash, err := hex.DecodeString(node)
		if err != nil || len(hash) != sha256.Size {
			return p, false, fmt.Errorf("onboarding: %q is no hash", node)
		}
		p.Path = append(p.Path, hash)
	}
	return p, true, nil
}

// saysSo holds a line of the timeline against the row it is about. Names and sentences are not part of a row.
func saysSo(cells []string, r models.Proven) bool {
	var detail map[string]any
	if err := json.Unmarshal([]byte(r.Detail), &detail); err != nil {
		return false
	}
	for column, want := range map[string]string{"time": cellTime(&r.At), "id": cellNumber(r.ID), "actor_kind": string(r.ActorKind), "actor_id": cellNumber(r.ActorID), "role": string(r.ActorRole), "action": string(r.Action),
		"subject_kind": r.SubjectKind, "subject_id": cellNumber(r.SubjectID), "merchant_id": cellNumber(r.MerchantID), "detail": detailText(detail), "request_id": r.RequestID} {
		if cells[slices.Index(AuditColumns, column)] != plainCell(want) {
			return false
		}
	}
	return true
}

// eventLines are the lines of a timeline, one after another.
type eventLines struct {
	csv   *csv.Reader
	cells []string
	line  int
	done  bool
}

// next goes on; a line that cannot be read says nothing, and is the same as none of its row.
func (e *eventLines) next() {
	cells, err := e.csv.Read()
	e.line++
	if e.done = err == io.EOF; err != nil {
		cells = make([]string, len(AuditColumns))
	}
	e.cells = cells
}

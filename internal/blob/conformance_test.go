package blob_test

import (
	"testing"

	"berkas/internal/blob"
	"berkas/internal/blob/blobtest"
)

func TestDiskConforms(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blob.Backend {
		d, err := blob.OpenDisk(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	})
}

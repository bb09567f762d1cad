package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"berkas/internal/auth"
	"berkas/internal/blob"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

// blobsCheck holds the stored bytes against the database, and says of each that is not right what is the matter with it.
func blobsCheck(ctx context.Context, in *invocation) error {
	if len(in.args) > 0 {
		return fmt.Errorf("blobs check takes no arguments, and %q is one; portal help shows what there is", in.args[0])
	}
	keys, err := openVault(in.config)
	if err != nil {
		return err
	}
	disk, err := blob.OpenDisk(in.config.BlobDir)
	if err != nil {
		return err
	}
	blobs := blob.New(disk, keys)
	defer blobs.Close()
	return atTheGate(ctx, in, func(store *models.Store, _ *auth.Gate) error {
		service := onboarding.New(onboarding.Parts{Store: store, Blobs: blobs, Vault: keys, Now: time.Now, Log: in.log})
		report, err := service.CheckBlobs(ctx, func(f onboarding.BlobFlaw) error {
			_, err := fmt.Fprintln(in.stdout, blobFlawed(f))
			return err
		})
		if err != nil {
			return err
		}
		return errors.Join(tellBlobs(in.stdout, report), blobsWrong(report))
	})
}

// blobFlawed says what is wrong with one file.
func blobFlawed(f onboarding.BlobFlaw) string {
	whose := fmt.Sprintf("document %d of merchant %d: ", f.Document, f.Merchant)
	if f.Bundle != 0 {
		whose = fmt.Sprintf("evidence bundle %d of merchant %d: ", f.Bundle, f.Merchant)
	}
	switch f.What {
	case onboarding.FlawMissing:
		return whose + "its bytes are missing: there is no " + f.Ref
	case onboarding.FlawDamaged:
		return whose + "its bytes were changed or cut off: " + f.Ref
	case onboarding.FlawOther:
		return whose + "its bytes are not those that were accepted, their hash differs: " + f.Ref
	case onboarding.FlawKey:
		return whose + "its bytes were encrypted with another ENCRYPTION_KEY: " + f.Ref
	case onboarding.FlawThumbnail:
		return whose + "its thumbnail was changed, or encrypted with another ENCRYPTION_KEY"
	}
	return fmt.Sprintf("no row has these %d bytes, stored %s: %s", f.Size, words.Exact(f.Stored), f.Ref)
}

func tellBlobs(out io.Writer, r onboarding.BlobReport) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if r.Flaws == 0 {
		fmt.Fprintf(w, "Every document has its bytes, and every byte its document.\n")
	}
	fmt.Fprintf(w, "originals\t%d of %d bytes in all\nthumbnails\t%d\nbundles\t%d\n", r.Originals, r.Bytes, r.Thumbnails, r.Bundles)
	return w.Flush()
}

func blobsWrong(r onboarding.BlobReport) error {
	if r.Flaws == 0 {
		return nil
	}
	return fmt.Errorf("the stored files are not as they should be: %d of them, named above", r.Flaws)
}

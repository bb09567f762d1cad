// Package paper says what an uploaded file is: whether it is whole, how large a picture or how many pages, how sharp,
// when it was taken, and what it looks like in small. It also draws pages of PDFs as pictures.
//
// It looks at bytes and nothing else: it knows no slot and no merchant, stores nothing and changes nothing. What is
// allowed where is decided by its caller. Whatever the bytes are, it neither crashes nor hangs, and the memory of all
// pictures and PDFs under examination together stays within one budget.
//
// Three things keep it there. A picture is admitted by what its head says that decoding will allocate (TestEstimates
// holds that against the decoders), and one that does not fit is followed from mark to mark without decoding. What was
// decoded stays charged until it was really collected. And PDFs are read by pdfium as WebAssembly, in memory outside of
// Go's heap that ends with the document, in machine code that looks up now and then whether it shall stop.
//
// On two cores, with a process that has 8 MB before, the peak of resident memory is (BenchmarkPeakMemory): 48 MB for one
// baseline JPEG of 12 megapixels and 16 MB, 79 MB for 16 clients with it, 87 MB for 64, 100 MB for 16 progressive ones,
// 83 MB for 16 of 48 megapixels, 10 MB for 16 that are only walked, 48 MB for PDFs of text and 85 MB for PDFs of a photo.
package paper

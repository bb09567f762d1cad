// Package paper says what an uploaded file is: whether it is whole, how large a picture or how many pages, how sharp,
// when it was taken, and what it looks like in small. It also draws pages of PDFs as pictures.
//
// It looks at bytes and nothing else: it knows no slot and no merchant, stores nothing and changes nothing. What is
// allowed where is decided by its caller. Whatever the bytes are, it neither crashes nor hangs, and the memory of all
// pictures and PDFs under examination together stays within one budget.
package paper

// Package dokusim is a simulator of DOKU's Partner API: an http.Handler that speaks DOKU's wire, checks what DOKU would
// check, and remembers.
//
// It owns a folder with an encrypted journal and encrypted files, and everything in it survives kill -9: what was
// answered is on the disk. It imports package doku for the wire's shapes and its signature, and nothing else of this
// module. It must never be taken for DOKU: much of what it does rests on assumptions, which Banner lists; an answer that
// does carries the header X-Simulator-Assumed: true. It fetches nothing; it sends only callbacks, and those only when
// switched on.
//
// Timeouts, the number of connections and the size of headers are the server's to limit.
//
// # Control
//
// With Options.Control, these answer under /_simulator/, JSON in and out, without a sign-in: it is for a developer's
// own machine. Each is also a method of Simulator. A wrong request gets 400 and {"error":"…"}; requests that a browser
// makes from another site's page get 403.
//
//	GET    clock               {"now":"2026-01-02T03:04:05Z","offset":"0s"}
//	PUT    clock               {"now":"2026-01-02T03:04:05Z"} sets it, and it runs on; {"now":null} is real time;
//	                           {"advance":"2h"} moves it. It governs tokens, links and everything else.
//	GET    faults              what will go wrong, each with the times left
//	POST   faults              {"call":"upload","kind":"status","status":503,"times":2,"delay":"300ms","message":"…",
//	                           "retry_after":5,"after_commit":false,"body":"…"}; all but call and kind may be left out.
//	                           call: requirements token upload business lite data lookup link, or * for all.
//	                           kind: status malformed empty html drop (instead of the work, or after it with
//	                           after_commit); delay; hold (until the faults are deleted); cut_request; cut_response;
//	                           no_id; truncate_link; corrupt_link. times 0: until deleted. body: only calls whose body has
//	                           this in its first 4 KiB, so that a fault finds the one upload it is meant for.
//	DELETE faults
//	GET    files               [{"id","category","code","content_type","size","sha256","attached","at"}]
//	DELETE files/{id}          DOKU loses an upload: registrations that name it are refused
//	GET    businesses          [{"id","name","lite","status","rejection_reason","brands":[{"id","status"}],"at",…}]
//	PUT    businesses/{id}     {"status":"ACTIVE","brand_status":"ACTIVE","rejection_reason":""}; the id of a business or
//	                           of a brand; brand_status left out is the same as status
//	POST   callbacks           {"business":"BSN-…","status":"ACTIVE","request_id":"…","times":2,"forged":true} posts to the
//	                           business's callback_url at once; all but business may be left out. status: what the payload
//	                           claims, which need not be true; times: so often under one Request-Id; forged: signed with
//	                           another key. Answers {"answers":[200,200]}, 0 for none. A change of status is posted by itself
//	                           once the assumption "callbacks" is on.
//	GET    requests            {"upload":3,"data":1}: calls received since the start or the last reset
//	PUT    requirements        {"business_type","legal_entity","business_line","nationality","answer":{…}}; answer null
//	                           brings the matrix back
//	GET    assumptions         {"signed_query":false,"unsigned_responses":false,"clock_skew":"0s","error_object":false,
//	                           "callbacks":false,"forgets_requests":false,"lines":null}
//	PUT    assumptions         the same; what is left out stays
//	POST   reset               ends faults, counts, replaced requirements, and sets the clock right; with {"forget":true}
//	                           files and businesses go too
package dokusim

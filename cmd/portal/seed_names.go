package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// What invented merchants and people are called. Family names say that nobody is called so: Rekaan is fiction.
var (
	trades = strings.Fields(`Warung Toko Kedai Depot Bengkel Salon Laundry Butik Apotek Katering Rumah_Makan Kios Studio Percetakan Konveksi Toko_Roti Angkringan
		Pangkas_Rambut Toko_Bangunan Toko_Buku Optik Klinik_Gigi Bimbel Jasa_Kirim Cuci_Mobil Ayam_Geprek Bakso Soto Mie_Ayam Sate Martabak Kopi Jamu Batik Tenun
		Mebel Florist Petshop Fotokopi Servis_HP Agen_Pulsa Frozen_Food Toko_Kue Nasi_Uduk Gudeg Pecel_Lele Es_Teh Seblak Dimsum Rias_Pengantin Sanggar_Senam Kost
		Rental_Motor Travel Toko_Mainan Toko_Emas Grosir Sembako Pempek`)
	flavours = strings.Fields(`Berkah Jaya Makmur Sejahtera Abadi Lestari Mandiri Sentosa Maju Sumber_Rejeki Barokah Cahaya Sinar Mutiara Permata Bintang Mentari
		Pelangi Anugerah Karunia Rahayu Harapan Bahagia Murni Segar Manis Gurih Nikmat Sedap Mantap Juara Utama Prima Mega Sari Rasa Indah Asri Damai Tenteram Setia
		Bersama Keluarga Nusantara Pusaka Kencana Melati Kenanga Cempaka Dahlia Teratai Mawar Anggrek Seruni Kamboja Flamboyan Cemara Pinus Beringin Jati Mahoni
		Rajawali Garuda Merpati Kutilang Kenari Cendrawasih Elang Camar Kijang Banteng Rusa Kancil Lumba Kerapu Baru Lama Sepuluh Tujuh_Belas Serba_Ada Ceria Gembira
		Kita Mbak_Yu Mas_Bro Bu_De Pak_De Simbah Kang_Mas Neng_Geulis Uni Uda Daeng Bli Mbok Ibu Bapak Sahabat Tetangga Kampung Desa Kota Pojok Tengah Ujung Hilir`)
	firsts = strings.Fields(`Adi Agus Ahmad Andi Anisa Arif Asih Ayu Bagus Bambang Bayu Budi Cahyo Citra Dani Dewi Dian Dimas Dwi Edi Eka Endang Erna Fajar Farah Fitri
		Galih Gita Hadi Hana Hendra Heru Ika Imam Indah Intan Irfan Joko Kartika Laras Lestari Lina Lukman Made Maya Mega Nanda Ningsih Novi Nur Oki Putra Putri
		Rahma Rani Ratna Rendra Retno Rina Rizki Rudi Sari Sekar Sinta Slamet Sri Suci Surya Tari Teguh Tika Tono Tri Umar Utami Vina Wahyu Wati Wayan Widya Wulan
		Yanti Yoga Yuli Yusuf Zahra Zaki`)
	families = strings.Fields(`Rekaan Contoh Khayal Umpama Misalnya Andaikan Tiruan Dongeng Cerita Semu Fiksi Karangan`)
	stems    = strings.Fields(`Adi Agung Aneka Arta Bahari Bakti Bangun Bhakti Buana Bumi Cakra Catur Cipta Citra Dana Darma Delta Duta Eka Graha Guna Harta Indo
		Inti Jaya Karya Kencana Kerta Krida Kusuma Laksana Langgeng Lintas Logam Mandala Mega Mitra Multi Nata Niaga Nirwana Nusa Panca Pasifik Perdana Persada Pratama
		Prima Putra Rajasa Rekata Sakti Samudra Sarana Satya Sejati Selaras Sinar Sumber Surya Tata Tirta Trans Tri Tunas Utama Varuna Wahana Wana Wijaya Wira Yasa`)
	tails = strings.Fields(`Abadi Andalan Artha Bersama Boga Cemerlang Dinamika Energi Farma Gemilang Global Indonesia Internasional Investama Jasa Kapital Kreasi
		Logistik Makmur Mandiri Media Nusantara Pangan Perkasa Plastindo Properti Raya Sejahtera Sentosa Solusi Sukses Teknik Teknologi Tekstil Transport Wisata Textindo
		Agro Digital Retailindo`)
	cities  = strings.Fields(`Jakarta Surabaya Bandung Medan Semarang Makassar Palembang Denpasar Yogyakarta Malang Bogor Balikpapan Pontianak Manado Padang Pekanbaru`)
	streets = strings.Fields(`Melati Mawar Kenanga Merdeka Sudirman Diponegoro Kartini Pahlawan Veteran Gajah_Mada Hayam_Wuruk Cendana Flamboyan Rajawali Anggrek`)
	teams   = cities[:8]
)

func pick(r *rand.Rand, from []string) string {
	return strings.ReplaceAll(from[r.IntN(len(from))], "_", " ")
}

// shopName is what a person's business is called, companyName an enterprise of some legal form.
func shopName(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		return pick(r, trades) + " " + pick(r, firsts)
	case 1:
		return pick(r, trades) + " " + pick(r, flavours) + " " + pick(r, cities)
	case 2:
		return fmt.Sprintf("%s %s %d", pick(r, trades), pick(r, flavours), 2+r.IntN(98))
	case 3:
		return pick(r, trades) + " " + pick(r, flavours) + " " + pick(r, firsts)
	}
	return pick(r, trades) + " " + pick(r, flavours) + " " + pick(r, flavours)
}

var forms = map[string]string{"KOPERASI": "Koperasi", "YAYASAN": "Yayasan", "FIRMA": "Firma", "BUMN": "Perum", "PTN_BH": "Universitas", "BLU": "RSUD",
	"PERKUMPULAN_BERBADAN_HUKUM": "Perkumpulan", "PP": "PP"}

func companyName(r *rand.Rand, entity string) string {
	form := entity
	if f := forms[entity]; f != "" {
		form = f
	}
	name := form + " " + pick(r, stems) + " " + pick(r, stems) + " " + pick(r, tails)
	if r.IntN(4) == 0 {
		name += " " + pick(r, cities)
	}
	return name
}

func personName(r *rand.Rand) string { return pick(r, firsts) + " " + pick(r, families) }

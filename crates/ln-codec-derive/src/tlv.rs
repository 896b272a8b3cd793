//! `Tlv`: a struct of optional records as a TLV stream.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitInt, Result, Token};

enum Form {
    Plain,
    Truncated,
    Rest,
    Fill,
    Flag,
}

struct Record {
    number: u64,
    field: Ident,
    form: Form,
}

/// The records in ascending order and the field that keeps unknown ones.
fn records(input: &DeriveInput) -> Result<(Vec<Record>, Option<Ident>)> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(input, "Tlv wants a struct"));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new_spanned(input, "Tlv wants named fields"));
    };
    let mut records = Vec::new();
    let mut unknown = None;
    for field in &named.named {
        let ident = field
            .ident
            .clone()
            .ok_or_else(|| Error::new_spanned(field, "named fields only"))?;
        let attribute = field
            .attrs
            .iter()
            .find(|a| a.path().is_ident("tlv"))
            .ok_or_else(|| Error::new_spanned(field, "every field wants #[tlv(..)]"))?;
        attribute.parse_args_with(|parser: syn::parse::ParseStream<'_>| {
            if parser.peek(Ident) {
                let word: Ident = parser.parse()?;
                if word != "unknown" {
                    return Err(Error::new_spanned(word, "expected a number or `unknown`"));
                }
                unknown = Some(ident.clone());
                return Ok(());
            }
            let number = parser.parse::<LitInt>()?.base10_parse()?;
            let mut form = Form::Plain;
            if parser.peek(Token![,]) {
                parser.parse::<Token![,]>()?;
                let word: Ident = parser.parse()?;
                form = match word.to_string().as_str() {
                    "tu" => Form::Truncated,
                    "rest" => Form::Rest,
                    "fill" => Form::Fill,
                    "flag" => Form::Flag,
                    _ => {
                        let words = "expected `tu`, `rest`, `fill` or `flag`";
                        return Err(Error::new_spanned(word, words));
                    }
                };
            }
            records.push(Record {
                number,
                field: ident.clone(),
                form,
            });
            Ok(())
        })?;
    }
    records.sort_by_key(|record| record.number);
    Ok((records, unknown))
}

/// The statements that push each present record.
fn writes(records: &[Record]) -> Vec<TokenStream> {
    let write = |Record {
                     number,
                     field,
                     form,
                 }: &Record| {
        let value = match form {
            Form::Plain => quote! { ::ln_codec::Encode::encode(value, &mut bytes); },
            Form::Truncated => {
                quote! { ::ln_codec::Truncated::encode_truncated(value, &mut bytes); }
            }
            Form::Rest => quote! { ::ln_codec::Encode::encode_many(value.as_slice(), &mut bytes); },
            Form::Fill => quote! { ::ln_codec::Fill::encode_fill(value, &mut bytes); },
            Form::Flag => {
                return quote! {
                    if self.#field { stream.push(#number, ::std::vec::Vec::new()); }
                };
            }
        };
        quote! {
            if let Some(value) = &self.#field {
                let mut bytes = ::std::vec::Vec::new();
                #value
                stream.push(#number, bytes);
            }
        }
    };
    records.iter().map(write).collect()
}

/// The match arms that read each known record.
fn reads(records: &[Record]) -> Vec<TokenStream> {
    let read = |Record {
                    number,
                    field,
                    form,
                }: &Record| {
        let value = match form {
            Form::Plain => quote! { ::ln_codec::Decode::decode(&mut value)? },
            Form::Truncated => quote! { ::ln_codec::Truncated::decode_truncated(&mut value)? },
            Form::Rest => quote! { ::ln_codec::decode_rest(&mut value)? },
            Form::Fill => quote! { ::ln_codec::Fill::decode_fill(&mut value)? },
            Form::Flag => {
                return quote! {
                    #number => {
                        this.#field = true;
                        ::ln_codec::Reader::new(record.value).finish()?;
                    }
                };
            }
        };
        quote! {
            #number => {
                let mut value = ::ln_codec::Reader::new(record.value);
                this.#field = Some(#value);
                value.finish()?;
            }
        }
    };
    records.iter().map(read).collect()
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let (records, unknown) = records(input)?;
    let (writes, reads) = (writes(&records), reads(&records));
    let write_unknown = unknown.as_ref().map(|field| {
        quote! { for record in &self.#field { stream.push(record.number, record.value.clone()); } }
    });
    let read_unknown = unknown
        .as_ref()
        .map(|field| quote! { this.#field.push(record.to_owned()); });
    Ok(quote! {
        impl ::ln_codec::Encode for #name {
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
                let mut stream = ::ln_codec::TlvWriter::default();
                #(#writes)*
                #write_unknown
                stream.finish(out);
            }
        }
        impl ::ln_codec::Decode for #name {
            fn decode(reader: &mut ::ln_codec::Reader<'_>) -> ::std::result::Result<Self, ::ln_codec::DecodeError> {
                let mut this = <Self as ::std::default::Default>::default();
                let mut stream = ::ln_codec::TlvReader::new(reader);
                while let Some(record) = stream.next_record()? {
                    match record.number {
                        #(#reads)*
                        number if number % 2 == 0 => {
                            return Err(::ln_codec::DecodeError::UnknownEvenTlv { number });
                        }
                        _ => { #read_unknown }
                    }
                }
                Ok(this)
            }
        }
    })
}

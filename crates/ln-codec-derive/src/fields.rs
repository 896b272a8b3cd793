//! `Encode` and `Decode` for structs and enums.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, LitInt, Result};

/// How one field is written.
enum Form {
    Plain,
    BigSize,
    Rest,
}

fn form(field: &Field) -> Result<Form> {
    let mut form = Form::Plain;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("codec")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("bigsize") {
                form = Form::BigSize;
            } else if meta.path.is_ident("rest") {
                form = Form::Rest;
            } else {
                return Err(meta.error("expected `bigsize` or `rest`"));
            }
            Ok(())
        })?;
    }
    Ok(form)
}

fn explicit_tag(attributes: &[Attribute]) -> Result<Option<u8>> {
    let mut tag = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("codec")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("tag") {
                return Err(meta.error("expected `tag = N`"));
            }
            tag = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
            Ok(())
        })?;
    }
    Ok(tag)
}

/// Whether the struct reads an unknown extension behind its fields.
fn extensible(attributes: &[Attribute]) -> Result<bool> {
    let mut extensible = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("codec")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("extensible") {
                return Err(meta.error("expected `extensible`"));
            }
            extensible = true;
            Ok(())
        })?;
    }
    Ok(extensible)
}

fn write_field(field: &Field, access: &TokenStream) -> Result<TokenStream> {
    Ok(match form(field)? {
        Form::Plain => quote! { ::ln_codec::Encode::encode(#access, out); },
        Form::BigSize => quote! { ::ln_codec::BigSize(*#access).encode_to(out); },
        Form::Rest => quote! { ::ln_codec::Encode::encode_many(#access.as_slice(), out); },
    })
}

fn read_field(field: &Field) -> Result<TokenStream> {
    Ok(match form(field)? {
        Form::Plain => quote! { ::ln_codec::Decode::decode(reader)? },
        Form::BigSize => quote! { ::ln_codec::BigSize::decode_from(reader)?.0 },
        Form::Rest => quote! { ::ln_codec::decode_rest(reader)? },
    })
}

fn bindings(fields: &Fields) -> Vec<Ident> {
    (0..fields.len())
        .map(|i| format_ident!("field_{i}"))
        .collect()
}

fn pattern(fields: &Fields, names: &[Ident]) -> TokenStream {
    match fields {
        Fields::Named(named) => {
            let idents = named.named.iter().map(|f| &f.ident);
            quote! { { #(#idents: #names),* } }
        }
        Fields::Unnamed(_) => quote! { ( #(#names),* ) },
        Fields::Unit => quote! {},
    }
}

fn writes(fields: &Fields, names: &[Ident]) -> Result<Vec<TokenStream>> {
    fields
        .iter()
        .zip(names)
        .map(|(f, name)| write_field(f, &quote! { #name }))
        .collect()
}

fn construct(fields: &Fields) -> Result<TokenStream> {
    let reads = fields.iter().map(read_field).collect::<Result<Vec<_>>>()?;
    Ok(match fields {
        Fields::Named(named) => {
            let idents = named.named.iter().map(|f| &f.ident);
            quote! { { #(#idents: #reads),* } }
        }
        Fields::Unnamed(_) => quote! { ( #(#reads),* ) },
        Fields::Unit => quote! {},
    })
}

fn tags<'a>(variants: impl Iterator<Item = &'a syn::Variant>) -> Result<Vec<u8>> {
    variants
        .enumerate()
        .map(|(position, variant)| match explicit_tag(&variant.attrs)? {
            Some(tag) => Ok(tag),
            None => {
                u8::try_from(position).map_err(|_| Error::new_spanned(variant, "over 256 variants"))
            }
        })
        .collect()
}

pub(crate) fn encode(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let body = match &input.data {
        Data::Struct(data) => {
            let names = bindings(&data.fields);
            let pattern = pattern(&data.fields, &names);
            let writes = writes(&data.fields, &names)?;
            quote! { let Self #pattern = self; #(#writes)* }
        }
        Data::Enum(data) => {
            let tags = tags(data.variants.iter())?;
            let arms = data
                .variants
                .iter()
                .zip(tags)
                .map(|(variant, tag)| {
                    let ident = &variant.ident;
                    let names = bindings(&variant.fields);
                    let pattern = pattern(&variant.fields, &names);
                    let writes = writes(&variant.fields, &names)?;
                    Ok(quote! { Self::#ident #pattern => { out.push(#tag); #(#writes)* } })
                })
                .collect::<Result<Vec<_>>>()?;
            quote! { match self { #(#arms)* } }
        }
        Data::Union(_) => return Err(Error::new_spanned(input, "unions have no encoding")),
    };
    Ok(quote! {
        impl #impl_generics ::ln_codec::Encode for #name #type_generics #where_clause {
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
                let _ = &out;
                #body
            }
        }
    })
}

pub(crate) fn decode(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let text = name.to_string();
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let body = match &input.data {
        Data::Struct(data) => {
            let construct = construct(&data.fields)?;
            let extension = extensible(&input.attrs)?
                .then(|| quote! { ::ln_codec::ignore_extension(reader)?; });
            quote! { let _ = &reader; let this = Self #construct; #extension Ok(this) }
        }
        Data::Enum(data) => {
            let tags = tags(data.variants.iter())?;
            let arms = data
                .variants
                .iter()
                .zip(tags)
                .map(|(variant, tag)| {
                    let ident = &variant.ident;
                    let construct = construct(&variant.fields)?;
                    Ok(quote! { #tag => Ok(Self::#ident #construct), })
                })
                .collect::<Result<Vec<_>>>()?;
            quote! {
                match <u8 as ::ln_codec::Decode>::decode(reader)? {
                    #(#arms)*
                    tag => Err(::ln_codec::DecodeError::UnknownTag { what: #text, tag: u64::from(tag) }),
                }
            }
        }
        Data::Union(_) => return Err(Error::new_spanned(input, "unions have no encoding")),
    };
    Ok(quote! {
        impl #impl_generics ::ln_codec::Decode for #name #type_generics #where_clause {
            fn decode(reader: &mut ::ln_codec::Reader<'_>) -> ::std::result::Result<Self, ::ln_codec::DecodeError> {
                #body
            }
        }
    })
}

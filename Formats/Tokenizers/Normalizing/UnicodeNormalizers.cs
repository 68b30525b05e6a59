using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Normalizing;

/// <summary>"NFC", "NFD", "NFKC" and "NFKD", by Unicode 9.0.</summary>
internal sealed class FormNormalizer(NormalForm form) : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens) =>
        form.Apply(text, scratch.Codes, into);
}

/// <summary>"Lowercase": code point by code point, as Rust does it.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        for (var at = 0; at < text.Length;)
        {
            var code = CodePoints.Read(text, at, out var length);
            at += length;
            if (code == CaseMapping.DottedCapitalI) into.Add("i\u0307"u8);
            else into.AddCodePoint(CaseMapping.Lower(code));
        }
        return true;
    }
}

/// <summary>Drops some code points and makes blanks of others: "StripAccents", "Nmt", and two parts of "BertNormalizer".</summary>
internal sealed class FilterNormalizer(CodePointSet removed, CodePointSet blanked) : Normalizer
{
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        for (var at = 0; at < text.Length;)
        {
            var code = CodePoints.Read(text, at, out var length);
            if (removed.Contains(code)) opens &= at > 0;
            else if (blanked.Contains(code)) into.Add((byte)' ');
            else into.Add(text.Slice(at, length));
            at += length;
        }
        return true;
    }
}

/// <summary>Puts blanks around Chinese characters, a part of "BertNormalizer".</summary>
internal sealed class ChineseNormalizer : Normalizer
{
    // The blocks that BERT's original code names.
    private static readonly CodePointSet Chinese = CodePointSet.Of(
        (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF),
            (0x2F800, 0x2FA1F));

    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        for (var at = 0; at < text.Length;)
        {
            var chinese = Chinese.Contains(CodePoints.Read(text, at, out var length));
            if (chinese) into.Add((byte)' ');
            into.Add(text.Slice(at, length));
            if (chinese) into.Add((byte)' ');
            at += length;
        }
        return true;
    }
}

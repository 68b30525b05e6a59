namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>
/// Classes that Hugging Face's library takes from tables older or newer than its patterns' Unicode 16.0: cut down to what the older version
/// had assigned, with the code points that changed their category since then put back.
/// </summary>
internal static class OlderClasses
{
    private static readonly Lazy<CodePointSet> LazyPunctuation = new(() =>
        CodePointSet.Of(('!', '/'), (':', '@'), ('[', '`'), ('{', '~')).Union(Cut("P", Assigned8, 0x166D, 0x111C9)));

    private static readonly Lazy<CodePointSet> LazyNonspacing = new(() => Cut("Mn", Assigned8, 0x1734, 0x1885, 0x1886, 0xA9BD, 0x111C9, 0x1171E));
    private static readonly Lazy<CodePointSet> LazyMarks = new(() => Cut("M", Assigned9, 0x1CF2, 0x1CF3, 0x111C9));
    private static readonly Lazy<CodePointSet> LazyControls = new(() => Class("Cc").Union(Cut("Cf", Assigned8)).Union(Class("Co")));
    private static readonly Lazy<CodePointSet> LazyNumeric = new(() => Class("N").Union(CodePointSet.Of((0x11DE0, 0x11DE9), (0x16FF4, 0x16FF6))));
    private static readonly Lazy<byte[]> LazyScripts = new(ReadScripts);

    /// <summary>Punctuation (Unicode 8.0), and all of ASCII's symbols.</summary>
    public static CodePointSet Punctuation => LazyPunctuation.Value;

    /// <summary>Marks without width of their own (Unicode 8.0), which BertNormalizer strips.</summary>
    public static CodePointSet NonspacingMarks => LazyNonspacing.Value;

    /// <summary>All marks (Unicode 9.0), which StripAccents strips.</summary>
    public static CodePointSet Marks => LazyMarks.Value;

    /// <summary>Controls, format characters and private use (Unicode 8.0).</summary>
    public static CodePointSet Controls => LazyControls.Value;

    /// <summary>Rust's char::is_numeric (Unicode 17.0).</summary>
    public static CodePointSet Numeric => LazyNumeric.Value;

    /// <summary>A number for the script (Unicode 9.0) of a code point, as UnicodeScripts compares them; 0 for what belongs to none.</summary>
    public static int Script(int codePoint) => LazyScripts.Value[codePoint];

    private static CodePointSet Assigned8 => UnicodeClasses.Property("assigned8");

    private static CodePointSet Assigned9 => UnicodeClasses.Property("assigned8").Union(UnicodeClasses.Property("assigned9"));

    private static CodePointSet Class(string name) => UnicodeClasses.Find(name)!;

    // changed: code points that are in the class today and were not then, or the other way round.
    private static CodePointSet Cut(string name, CodePointSet assigned, params int[] changed)
    {
        var today = Class(name).Intersect(assigned);
        var exceptions = CodePointSet.Of(changed.Select(c => (c, c)));
        return today.Intersect(exceptions.Complement()).Union(exceptions.Intersect(today.Complement()));
    }

    private static byte[] ReadScripts()
    {
        var scripts = UnicodeResource.Sets("Scripts");
        var numbers = scripts.Keys.Order(StringComparer.Ordinal).Select((name, i) => (name, Number: (byte)(i + 1)))
            .ToDictionary(entry => entry.name, entry => entry.Number);
        var table = new byte[CodePoints.Last + 1];
        var assigned = Assigned9;
        foreach (var (name, set) in scripts)
            foreach (var (first, last) in set.Intersect(assigned).Ranges) Array.Fill(table, numbers[name], first, last - first + 1);
        table[0x589] = table[0x61C] = numbers["common"];
        table[0x953] = table[0x954] = numbers["devanagari"];
        // SentencePiece's rules: kana go with the Chinese characters, and a blank goes with anything.
        for (var c = 0; c < table.Length; c++)
            if (table[c] == numbers["hiragana"] || table[c] == numbers["katakana"]) table[c] = numbers["han"];
        table[0x30FC] = numbers["han"];
        table[' '] = 0;
        return table;
    }
}

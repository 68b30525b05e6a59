using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Grammars.Notations;

/// <summary>Sets of code points that regular expressions name.</summary>
internal static class RegexClasses
{
    /// <summary>What <c>.</c> is: anything but a line feed.</summary>
    public static CodePointSet Dot { get; } = CodePointSet.Of('\n').Complement();

    private static readonly CodePointSet AsciiDigit = CodePointSet.Of(('0', '9'));
    private static readonly CodePointSet AsciiWord = CodePointSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_'));
    private static readonly CodePointSet AsciiSpace = CodePointSet.Of((9, 13), (32, 32));
    private static readonly Lazy<CodePointSet> UnicodeDigit = new(() => Property("Nd")!);
    private static readonly Lazy<CodePointSet> UnicodeSpace = new(() => Property("space")!);

    private static readonly Lazy<CodePointSet> UnicodeWord =
        new(() => Property("alpha")!.Union(Property("M")!).Union(Property("Nd")!).Union(Property("Pc")!));

    /// <summary>The class of <c>\d</c>, <c>\w</c>, <c>\s</c>, or, written large, all but it; null where the letter names none.</summary>
    public static CodePointSet? Shorthand(int letter, bool ascii) => letter switch
    {
        'd' => ascii ? AsciiDigit : UnicodeDigit.Value,
        'w' => ascii ? AsciiWord : UnicodeWord.Value,
        's' => ascii ? AsciiSpace : UnicodeSpace.Value,
        'D' or 'W' or 'S' => Shorthand(letter + 32, ascii)!.Complement(),
        _ => null,
    };

    /// <summary>A general category, script or property by the name in <c>\p{…}</c>; null where it is not known.</summary>
    public static CodePointSet? Property(string name)
    {
        var equals = name.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0 && name[..equals] is not ("gc" or "General_Category" or "sc" or "Script" or "scx" or "Script_Extensions")) return null;
        return UnicodeClasses.Find(name[(equals + 1)..]) is { } set ? CodePointSet.Of(set.Ranges) : null;
    }

    /// <summary>A POSIX class by the name in <c>[:…:]</c>, of ASCII; null where it is not known.</summary>
    public static CodePointSet? Posix(string name) => name switch
    {
        "alpha" => CodePointSet.Of(('A', 'Z'), ('a', 'z')),
        "digit" => AsciiDigit,
        "alnum" => CodePointSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z')),
        "upper" => CodePointSet.Of(('A', 'Z')),
        "lower" => CodePointSet.Of(('a', 'z')),
        "space" => AsciiSpace,
        "blank" => CodePointSet.Of((9, 9), (32, 32)),
        "punct" => CodePointSet.Of((33, 47), (58, 64), (91, 96), (123, 126)),
        "xdigit" => CodePointSet.Of(('0', '9'), ('A', 'F'), ('a', 'f')),
        "word" => AsciiWord,
        "cntrl" => CodePointSet.Of((0, 31), (127, 127)),
        "print" => CodePointSet.Of((32, 126)),
        "graph" => CodePointSet.Of((33, 126)),
        _ => null,
    };
}

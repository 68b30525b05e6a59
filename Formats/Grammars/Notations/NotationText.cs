using System.Globalization;
using System.Text;

namespace Quilt.Formats.Grammars.Notations;

/// <summary>A place in a text that is being read as code points, and complaints about it.</summary>
internal sealed class NotationText
{
    private readonly string source;
    private readonly int[] points;

    /// <param name="source">What the text is, for messages.</param>
    /// <param name="text">The text.</param>
    /// <param name="most">Most code points.</param>
    /// <exception cref="BadInputException">It is too long, or holds half a surrogate pair or NUL.</exception>
    public NotationText(string source, string text, int most)
    {
        this.source = source;
        if (text.Length > 2L * most) throw new BadInputException(source, null, $"has {text.Length} characters, at most {most} are read");
        var found = new List<int>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, i, out var rune)) throw new BadInputException(source, $"position {i}", "half a surrogate pair");
            if (rune.Value == 0) throw new BadInputException(source, $"position {i}", "a NUL character");
            found.Add(rune.Value);
            i += rune.Utf16SequenceLength;
        }
        if (found.Count > most) throw new BadInputException(source, null, $"has {found.Count} characters, at most {most} are read");
        points = [.. found];
    }

    /// <summary>Where reading goes on.</summary>
    public int At { get; set; }

    /// <summary>Whether nothing is left.</summary>
    public bool IsAtEnd => At >= points.Length;

    /// <summary>The next code point, or -1.</summary>
    public int Next => Peek(0);

    /// <summary>The code point so many further, or -1.</summary>
    public int Peek(int ahead) => At + ahead < points.Length ? points[At + ahead] : -1;

    /// <summary>The next code point, taken.</summary>
    public int Take()
    {
        if (IsAtEnd) throw Bad("it ends too early");
        return points[At++];
    }

    /// <summary>Takes a text if it comes next.</summary>
    public bool TryTake(string text)
    {
        for (var i = 0; i < text.Length; i++) if (Peek(i) != text[i]) return false;
        At += text.Length;
        return true;
    }

    /// <summary>The text between two places.</summary>
    public string Slice(int from, int to)
    {
        var text = new StringBuilder();
        foreach (var point in points.AsSpan(from, to - from)) text.Append(new Rune(point).ToString());
        return text.ToString();
    }

    /// <summary>So many hexadecimal digits as a number.</summary>
    public int TakeHex(int least, int most)
    {
        var (value, count) = (0, 0);
        while (count < most && Digit(Next) is >= 0 and var digit)
        {
            value = value * 16 + digit;
            count++;
            At++;
        }
        if (count < least) throw Bad($"{least} hexadecimal digits are expected");
        return value;
    }

    /// <summary>A decimal number up to <paramref name="most"/>.</summary>
    public int TakeNumber(int most)
    {
        var value = 0L;
        if (Next is < '0' or > '9') throw Bad("a number is expected");
        while (Next is >= '0' and <= '9' and var digit)
        {
            value = value * 10 + digit - '0';
            if (value > most) throw Bad(string.Create(CultureInfo.InvariantCulture, $"a number above {most}"));
            At++;
        }
        return (int)value;
    }

    /// <summary>A complaint about a place; the present one unless another is named.</summary>
    public BadInputException Bad(string problem, int? at = null)
    {
        var (line, column) = (1, 1);
        foreach (var point in points.AsSpan(0, Math.Min(at ?? At, points.Length)))
        {
            column++;
            if (point == '\n') (line, column) = (line + 1, 1);
        }
        return new BadInputException(source, line == 1 ? $"position {column - 1}" : $"line {line}, column {column}", problem);
    }

    private static int Digit(int c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };
}

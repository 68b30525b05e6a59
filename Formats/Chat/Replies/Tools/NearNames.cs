using System.Buffers;
using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Finds the declared tool that a name means which is none but nearly right: in quotes or with other markup around it, behind a namespace, with a
/// counter behind it, in other letter case, with other characters between its words. Two that are equally near are never told apart by guessing.
/// </summary>
internal sealed class NearNames
{
    private const int MaxName = 1024;                        // characters; what has more is no name, and is not searched

    // What models put in front of a name, or in its place, that is none.
    private static readonly string[] fillers =
        ["function", "functions", "tool", "tools", "call", "calls", "toolu", "chatcmpl", "id", "default", "api", "invoke", "name"];

    // Namespaces of tools that some models have besides the declared ones.
    private static readonly string[] foreign = ["browser", "python", "container"];
    private static readonly SearchValues<char> separators = SearchValues.Create(" :#._-");
    private readonly Dictionary<string, List<DeclaredTool>> whole = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<DeclaredTool>> withoutNamespace = new(StringComparer.Ordinal);

    public NearNames(IEnumerable<DeclaredTool> tools)
    {
        foreach (var tool in tools)
        {
            Add(whole, tool.Name, tool);
            if (NamespaceEnd(tool.Name) is > 0 and var end) Add(withoutNamespace, tool.Name[end..], tool);
        }
    }

    public NameMatch Find(string name)
    {
        if (name.Length > MaxName) return new(null, NameFit.NotNear);
        var core = Core(name);
        if (Look(whole, core) is { } asItIs) return asItIs;
        if (SaysNothing(core)) return new(null, NameFit.SaysNothing);
        var bare = WithoutCounter(core);
        if (Look(whole, bare) is { } counted) return counted;
        var end = NamespaceEnd(bare);
        // The model may put a namespace in front, or leave out the one that the declared name has.
        var other = end > 0 && !foreign.Contains(bare[..end].Trim('.', ':', '/', '_')) ? Look(whole, bare[end..])
            : end == 0 ? Look(withoutNamespace, bare) : null;
        return other ?? (WithoutFillers(bare) is { Length: > 0 } rest ? Look(whole, rest) : null) ?? new(null, NameFit.NotNear);
    }

    private static NameMatch? Look(Dictionary<string, List<DeclaredTool>> among, string name)
    {
        if (!among.TryGetValue(Folded(name), out var found)) return null;
        if (found.Count == 1) return new(found[0], NameFit.Found);
        // Where several have the same letters, what is between them may tell.
        var nearest = found.Where(tool => tool.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).ToArray();
        return nearest.Length == 1 ? new(nearest[0], NameFit.Found) : new(null, NameFit.Several);
    }

    // The name without markup, quotes and punctuation around it: <function=f>, name="f", f</arg_value>, f(x).
    private static string Core(string name)
    {
        name = name.Trim();
        if (name.AsSpan().IndexOfAny('<', '(') is > 0 and var markup) name = name[..markup];
        if (name.TrimEnd('=').IndexOf('=', StringComparison.Ordinal) is >= 0 and var equals) name = name[(equals + 1)..];
        var (start, end) = (0, name.Length);
        while (start < end && !IsNamePart(name[start])) start++;
        while (end > start && !IsNamePart(name[end - 1])) end--;
        return name[start..end];
    }

    // Nothing but a counter or an id: 0, functions.0, call00003, call_a1b2c3d4.
    private static bool SaysNothing(string name)
    {
        var inCall = false;
        foreach (var word in name.Split([' ', ':', '#', '.', '_', '-', '/'], StringSplitOptions.RemoveEmptyEntries))
        {
            var letters = word.TrimEnd("0123456789".ToCharArray());
            var isId = inCall && word.AsSpan().IndexOfAnyInRange('0', '9') >= 0 && word.All(char.IsAsciiLetterOrDigit);
            if (letters.Length > 0 && !fillers.Contains(letters) && !isId) return false;
            inCall = word is "call" or "toolu" or "tool";
        }
        return true;
    }

    // get_weather:0, get_weather_3
    private static string WithoutCounter(string name)
    {
        var digits = name.AsSpan().TrimEnd("0123456789");
        var rest = digits.TrimEnd(" :#._-");
        return digits.Length == name.Length || rest.Length == digits.Length || rest.IsEmpty ? name : rest.ToString();
    }

    // call_get_weather
    private static string WithoutFillers(string name)
    {
        var rest = name;
        while (rest.AsSpan().IndexOfAny(separators) is > 0 and var end && fillers.Contains(rest[..end])) rest = rest[(end + 1)..];
        return rest.Length == name.Length ? "" : rest;
    }

    // Where the part behind the last namespace begins: functions.f, server__f; 0 where there is none.
    private static int NamespaceEnd(string name)
    {
        var end = Math.Max(name.AsSpan().LastIndexOfAny(".:/") + 1,
            name.LastIndexOf("__", StringComparison.Ordinal) is > 0 and var two ? two + 2 : 0);
        return end == name.Length ? 0 : end;
    }

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c == '_';

    private static string Folded(string name)
    {
        var letters = new StringBuilder();
        foreach (var c in name)
        {
            if (char.IsLetterOrDigit(c)) letters.Append(char.ToLowerInvariant(c));
        }
        return letters.ToString();
    }

    private static void Add(Dictionary<string, List<DeclaredTool>> to, string name, DeclaredTool tool)
    {
        var folded = Folded(name);
        if (folded.Length == 0) return;
        if (!to.TryGetValue(folded, out var tools)) to[folded] = tools = [];
        tools.Add(tool);
    }
}

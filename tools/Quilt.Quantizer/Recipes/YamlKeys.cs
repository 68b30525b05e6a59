using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Recipes;

/// <summary>
/// A mapping of a recipe whose keys are asked for one by one. What is left at the end means something that is not done here, and is refused by its
/// key.
/// </summary>
internal sealed class YamlKeys
{
    private readonly YamlNode mapping;
    private readonly List<KeyValuePair<string, YamlNode>> left;

    public YamlKeys(YamlNode mapping) => (this.mapping, left) = (mapping, [.. mapping.Entries()]);

    /// <summary>A value; null where it is missing or nothing.</summary>
    public YamlNode? Take(string key)
    {
        left.RemoveAll(entry => entry.Key == key);
        return mapping.Find(key);
    }

    /// <summary>A text; null where it is missing.</summary>
    public string? Text(string key) => Take(key)?.Text();

    /// <summary>A text or a list of them; empty where it is missing.</summary>
    public IReadOnlyList<string> Texts(string key) => Take(key)?.Texts() ?? [];

    /// <summary>A truth value; null where it is missing.</summary>
    public bool? Flag(string key) => Take(key)?.Flag();

    /// <summary>A whole number; null where it is missing.</summary>
    public int? Whole(string key, int min, int max) => (int?)Take(key)?.Whole(min, max);

    /// <summary>A key whose value means nothing here.</summary>
    public void Any(params string[] keys)
    {
        foreach (var key in keys) Take(key);
    }

    /// <summary>Refuses everything but nothing.</summary>
    public void Nothing(params string[] keys)
    {
        foreach (var key in keys)
        {
            if (Take(key) is { } node) throw node.Bad("null, the only value that is done here");
        }
    }

    /// <summary>Refuses true.</summary>
    public void False(params string[] keys)
    {
        foreach (var key in keys)
        {
            if (Take(key) is { } node && (node.Kind != YamlKind.Flag || node.Flag())) throw node.Bad("false, the only value that is done here");
        }
    }

    /// <summary>Refuses everything but nothing and false, which means the same.</summary>
    public void NothingOrFalse(string key)
    {
        if (Take(key) is { } node && (node.Kind != YamlKind.Flag || node.Flag())) throw node.Bad("null, the only value that is done here");
    }

    /// <summary>Refuses texts but some.</summary>
    public void Only(string key, params string[] texts)
    {
        if (Take(key) is { } node && (node.Kind != YamlKind.Text || !texts.Contains(node.Text())))
            throw node.Bad($"{string.Join(" or ", texts)}, the only {(texts.Length == 1 ? "value" : "values")} done here");
    }

    /// <summary>Refuses a mapping with anything in it.</summary>
    public void Empty(string key)
    {
        if (Take(key) is { } node && node.Entries().Count > 0) throw node.Bad("nothing in it");
    }

    /// <summary>Refuses what was not asked for.</summary>
    /// <exception cref="Formats.BadInputException">There is something.</exception>
    public void End()
    {
        if (left.Count > 0) throw left[0].Value.Bad("no such key, which nothing here heeds");
    }
}

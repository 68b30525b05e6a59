using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Quilt.Cli;

/// <summary>Options whose complaints say what was expected and what was found.</summary>
internal static class TypedOption
{
    /// <summary>A number.</summary>
    public static Option<double?> Real(string name, string description) => New<double?>(name, description, "a number", "NUMBER",
        static text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null);

    /// <summary>A whole number.</summary>
    public static Option<int?> Whole(string name, string description) => New<int?>(name, description, "a whole number", "N",
        static text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A whole number of 64 bits.</summary>
    public static Option<long?> Long(string name, string description) => New<long?>(name, description, "a whole number", "N",
        static text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>One of an enumeration's names, in lower case.</summary>
    public static Option<T?> OneOf<T>(string name, string description) where T : struct, Enum
    {
        var names = string.Join('|', Enum.GetNames<T>().Select(value => value.ToLowerInvariant()));
        var option = New<T?>(name, description, names, names, static text => Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase)
            ? Enum.Parse<T>(text, ignoreCase: true)
            : null);
        option.CompletionSources.Add(names.Split('|'));
        return option;
    }

    private static Option<T> New<T>(string name, string description, string expected, string help, Func<string, T> parse) => new(name)
    {
        Description = description,
        HelpName = help,
        CustomParser = result => Read(result, name, expected, parse),
    };

    private static T? Read<T>(ArgumentResult result, string name, string expected, Func<string, T> parse)
    {
        var text = result.Tokens[^1].Value;
        var value = parse(text);
        if (value is null) result.AddError($"{name}: expected {expected}, found '{text}'");
        return value;
    }
}

using System.Text;

namespace Quilt.Cli;

/// <summary>The library's complaints about options, in the words of the command line: "TopP: expected …" becomes "--top-p: expected …".</summary>
internal static class Usage
{
    /// <summary>Runs <paramref name="action"/>; a value out of its range is wrong usage.</summary>
    public static T Of<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(OptionNamed(e.Message));
        }
    }

    /// <inheritdoc cref="Of"/>
    /// <param name="action">It.</param>
    /// <param name="flags">Properties whose options have other names.</param>
    public static async Task<T> OfAsync<T>(Func<Task<T>> action, IReadOnlyDictionary<string, string>? flags = null)
    {
        try
        {
            return await action();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(OptionNamed(e.Message, flags));
        }
    }

    private static string OptionNamed(string message, IReadOnlyDictionary<string, string>? flags = null)
    {
        var colon = message.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !message.AsSpan(0, colon).ContainsAnyInRange('A', 'Z') || message.AsSpan(0, colon).Contains(' ')) return message;
        if (flags?.TryGetValue(message[..colon], out var flag) == true) return flag + message[colon..];
        var name = new StringBuilder("-");
        foreach (var c in message.AsSpan(0, colon))
        {
            if (char.IsUpper(c)) name.Append('-');
            name.Append(char.ToLowerInvariant(c));
        }
        return name.Append(message, colon, message.Length - colon).ToString();
    }
}

namespace Quilt.Cli.Serve;

/// <summary>vLLM takes dashes and underscores alike in its flags, and people's scripts have both.</summary>
internal static class Underscores
{
    /// <summary>The arguments of <c>serve</c> with dashes in their options' names; other verbs' as they are.</summary>
    public static string[] Mended(string[] args)
    {
        if (args.Length == 0 || args[0] != "serve") return args;
        var end = Array.IndexOf(args, "--") is >= 0 and var dashes ? dashes : args.Length;
        return [.. args.Select((arg, i) => i < end && arg.StartsWith("--", StringComparison.Ordinal) ? Mended(arg) : arg)];
    }

    private static string Mended(string option)
    {
        var equals = option.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? option.Replace('_', '-') : option[..equals].Replace('_', '-') + option[equals..];
    }
}

using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Cli;

/// <summary>Small files that a user names on the command line.</summary>
internal static class InputFile
{
    private const int MaxBytes = 64 << 20;

    /// <summary>A file's bytes.</summary>
    /// <exception cref="BadInputException">It cannot be read, is no UTF-8, or is larger than 64 MiB.</exception>
    public static byte[] ReadBytes(string path) => JsonText.ReadBytes(path, MaxBytes);

    /// <summary>A list of tools in OpenAI's form, or an object with one under "tools".</summary>
    /// <exception cref="BadInputException">It is neither.</exception>
    public static JsonElement ReadTools(string path)
    {
        // The reader takes objects only, and checks them; a list becomes one.
        var bytes = ReadBytes(path).AsSpan().Trim(" \t\r\n"u8);
        var wrapped = bytes.StartsWith("["u8) ? [.. "{\"tools\":"u8, .. bytes, (byte)'}'] : bytes.ToArray();
        var root = JsonText.ParseObject(wrapped, path);
        if (!root.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array)
            throw new BadInputException(path, "tools", "expected a list of tools");
        return tools;
    }
}

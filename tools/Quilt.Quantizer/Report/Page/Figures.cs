using System.Globalization;

namespace Quilt.Quantizer.Report.Page;

/// <summary>Numbers as people read them; a number that is none is a dash.</summary>
internal static class Figures
{
    /// <summary>What stands for a figure there is none of.</summary>
    public const string None = "–";

    /// <summary>A place in a picture, to a hundredth of a pixel.</summary>
    public static string Place(double value) => Number(Math.Round(value, 2) + 0, "0.##");

    /// <summary>An error or a divergence: three digits that mean something.</summary>
    public static string Error(double? value) => value switch
    {
        null => None,
        0 => "0",
        < 0.001 and > 0 => Number(value, "0.00e0"),
        < 0.1 => Number(value, "0.0000"),
        < 10 => Number(value, "0.000"),
        _ => Number(value, "0.##"),
    };

    /// <summary>A ratio of 0 to 1, or a logarithm.</summary>
    public static string Ratio(double? value) => Number(value, "0.00");

    /// <summary>12.3 %.</summary>
    public static string Percent(double? share, string digits = "0.0") =>
        share is { } value && double.IsFinite(value) ? Number(100 * value, digits) + " %" : None;

    /// <summary>12,345.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>12.3 GiB.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => Number(bytes / (double)(1L << 30), "0.0") + " GiB",
        >= 1L << 20 => Number(bytes / (double)(1L << 20), "0.0") + " MiB",
        >= 1L << 10 => Number(bytes / (double)(1L << 10), "0.0") + " KiB",
        _ => Number(bytes, "0") + " B",
    };

    /// <summary>1 h 2 min, 3 min 4 s, 5.6 s.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds)) return None;
        var whole = (long)Math.Round(seconds);
        return whole switch
        {
            >= 3600 => Say($"{whole / 3600} h {whole % 3600 / 60} min"),
            >= 60 => Say($"{whole / 60} min {whole % 60} s"),
            _ => Number(seconds, "0.0") + " s",
        };
    }

    /// <summary>A sentence with numbers in it, the same in every culture.</summary>
    public static string Say(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>A number by a format.</summary>
    public static string Number(double? value, string format) =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) : None;
}

using System.Buffers;
using System.Globalization;
using System.Text;

namespace Quilt.Hosting.Telemetry;

/// <summary>Writes Prometheus' text format 0.0.4, numbers and order of labels as prometheus_client, which vLLM uses, writes them.</summary>
/// <param name="output">Where to.</param>
/// <param name="engine">The value of the label <c>engine</c>, which every sample has.</param>
internal sealed class PrometheusText(IBufferWriter<byte> output, string engine = "0")
{
    /// <summary>The content type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly string engineLabel = $"engine=\"{Escaped(engine)}\"";

    /// <summary>A metric begins; its samples follow.</summary>
    public void Family(string name, string type, string help)
    {
        Write("# HELP ", name, " ", help.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal), "\n");
        Write("# TYPE ", name, " ", type, "\n");
    }

    /// <summary>A value.</summary>
    /// <param name="name">The sample's name.</param>
    /// <param name="model">The value of the label <c>model_name</c>.</param>
    /// <param name="value">The value.</param>
    /// <param name="label">A further label that sorts between the two, written out; or nothing.</param>
    public void Sample(string name, string model, double value, string label = "") =>
        Write(name, "{", engineLabel, label.Length > 0 ? "," : "", label, ",model_name=\"", Escaped(model), "\"} ", Number(value), "\n");

    /// <summary>A histogram: its buckets, each with all below it, their count and their sum.</summary>
    public void Histogram(string name, string model, BucketCounts counts)
    {
        var below = 0L;
        for (var bucket = 0; bucket <= counts.Bounds.Length; bucket++)
        {
            below += counts[bucket];
            var bound = bucket < counts.Bounds.Length ? Number(counts.Bounds[bucket]) : "+Inf";
            Sample($"{name}_bucket", model, below, $"le=\"{bound}\"");
        }
        Sample($"{name}_count", model, below);
        Sample($"{name}_sum", model, counts.Sum);
    }

    /// <summary>A label's value between its quotes.</summary>
    public static string Escaped(string value) =>
        value.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", @"\n", StringComparison.Ordinal);

    /// <summary>
    /// A number as prometheus_client has it: 1 is 1.0 and a million 1e+06. Bounds are compared as texts where servers are added up.
    /// </summary>
    public static string Number(double value)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "+Inf" : "-Inf";
        var digits = value.ToString("R", CultureInfo.InvariantCulture);
        if (digits.Contains('E', StringComparison.Ordinal)) return digits.Replace('E', 'e');
        var point = digits.IndexOf('.', StringComparison.Ordinal) is >= 0 and var at ? at : digits.Length;
        if (value < 0 || point <= 6) return point == digits.Length ? digits + ".0" : digits;
        var mantissa = $"{digits[0]}.{digits[1..point]}{(point < digits.Length ? digits[(point + 1)..] : "")}".TrimEnd('0').TrimEnd('.');
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}e+{point - 1:00}");
    }

    private void Write(params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts) Encoding.UTF8.GetBytes(part, output);
    }
}

using System.Net;
using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.Http;

/// <summary>
/// Names that requests may be addressed to. A page of a name whose address is changed to this machine's (DNS rebinding) counts for the browser as the
/// server's own, but its requests still carry that name. An address cannot be changed so: those are all good.
/// </summary>
internal sealed class HostNames
{
    private readonly HashSet<string> names = new(StringComparer.OrdinalIgnoreCase);
    private readonly string[] ends;
    private readonly bool any;

    /// <summary>Takes the names.</summary>
    /// <param name="allowed">Names, with a port or without; <c>*.name</c>: those below it; <c>*</c>: any.</param>
    public HostNames(IEnumerable<string> allowed)
    {
        string[] given = [.. allowed];
        any = given.Contains("*");
        ends = [.. given.Where(name => name.StartsWith("*.", StringComparison.Ordinal)).Select(name => name[1..])];
        names.UnionWith(given);
    }

    /// <summary>Whether a request may be addressed so.</summary>
    public bool Allows(HostString host)
    {
        // HTTP/1.0 has none; no browser speaks it.
        if (any || !host.HasValue) return true;
        var name = host.Host.TrimEnd('.');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || IPAddress.TryParse(name, out _)
            || names.Contains(name)
            || names.Contains(host.Value!)
            || ends.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase));
    }
}

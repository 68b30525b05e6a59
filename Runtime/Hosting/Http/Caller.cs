using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.Http;

/// <summary>Who asks: set by the door where keys are asked for.</summary>
/// <param name="Tenant">Apart from whom its cache is kept; says nothing of the key.</param>
internal sealed record Caller(string Tenant)
{
    /// <summary>The tenant of a request; null where there are no keys.</summary>
    public static string? TenantOf(HttpContext http) => http.Features.Get<Caller>()?.Tenant;
}

using System.Buffers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;

namespace Quilt.Hosting.Telemetry;

/// <summary><c>/metrics</c>, for Prometheus.</summary>
internal sealed class MetricsEndpoint(ServedModels models, ModelWatch watch)
{
    /// <summary>Maps it.</summary>
    public IEndpointConventionBuilder Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", (RequestDelegate)AnswerAsync);

    /// <summary>Everything as of now.</summary>
    public void Write(IBufferWriter<byte> output) => VllmMetrics.Write(new PrometheusText(output), models.All, watch);

    private async Task AnswerAsync(HttpContext http)
    {
        var text = new ArrayBufferWriter<byte>(1 << 16);
        Write(text);
        http.Response.ContentType = PrometheusText.ContentType;
        http.Response.ContentLength = text.WrittenCount;
        await Sending.WriteAsync(http, text.WrittenMemory).ConfigureAwait(false);
    }
}

using Mesh.DataPlane;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client;

/// <summary>Appends the mesh after every other handler of a client: the application's run outside it, the primary stays the way out of the mesh.</summary>
internal sealed partial class MeshHandlerBuilderFilter(
    IServiceProvider services,
    IOptions<MeshOptions> options,
    IOptionsMonitor<MeshHttpClientOptions> clientOptions,
    ILogger<MeshHandlerBuilderFilter> logger) : IHttpMessageHandlerBuilderFilter
{
    /// <summary>Clients of the mesh itself (to control planes, certificate authorities, collectors) would otherwise wait for themselves.</summary>
    private const string OwnClientPrefix = "mesh.";

    // As OpenTelemetry's exporters name theirs: what tells of requests is none of them.
    private static readonly string[] _exporters = ["OtlpTraceExporter", "OtlpMetricExporter", "OtlpLogExporter", "ZipkinExporter"];

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);

    // An application may hand out one primary handler again and again.
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<HttpMessageHandler, PrimaryFeatures> _features = [];

    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next)
        => builder =>
        {
            next(builder);
            var name = builder.Name ?? "";
            var enabled = clientOptions.Get(name).Enabled ?? options.Value.Client.AllClients;
            if (name.StartsWith(OwnClientPrefix, StringComparison.Ordinal) || _exporters.Contains(name))
            {
                builder.AdditionalHandlers.Add(new OwnClientHandler());
                return;
            }

            if (!enabled || builder.AdditionalHandlers.Any(h => h is MeshHandler))
            {
                return;
            }

            var features = _features.GetValue(builder.PrimaryHandler, PrimaryFeatures.TakeOver);
            if (features.Unsupported.Count > 0 && _warned.TryAdd(name, true))
            {
                Log.PrimaryNotHonoured(logger, name, string.Join(", ", features.Unsupported));
            }

            var replies = clientOptions.Get(name).LocalReplies ?? options.Value.Client.LocalReplies;
            var outer = OuterRetries.IsAmong(builder.AdditionalHandlers) ? new OuterRetries(name, logger) : null;
            builder.AdditionalHandlers.Add(new MeshHandler(services.GetRequiredService<MeshEngine>(), features, outer, replies));
        };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "What the primary handler of the HttpClient '{Client}' does by {Settings} does not apply to hosts of the mesh: the mesh makes those connections itself. It still applies to every other host.")]
        public static partial void PrimaryNotHonoured(ILogger logger, string client, string settings);
    }
}

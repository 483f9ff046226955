using Mesh.DataPlane.Routing;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>A client that has a resilience handler of its own: what it retries and what the route retries multiply, which is said once.</summary>
internal sealed partial class OuterRetries(string client, ILogger logger)
{
    // By name: the mesh depends on neither package.
    private static readonly string[] Handlers = ["Microsoft.Extensions.Http.Resilience.ResilienceHandler", "Microsoft.Extensions.Http.PolicyHttpMessageHandler"];

    private int _told;
    private VirtualHost? _silent;

    public static bool IsAmong(IEnumerable<HttpMessageHandler> handlers) => handlers.Any(h => Handlers.Contains(h.GetType().FullName));

    public void Tell(VirtualHost? host)
    {
        // Request after request goes to the same few hosts; one that retries nothing is looked through once in a row.
        if (Volatile.Read(ref _told) != 0 || host is null || ReferenceEquals(host, Volatile.Read(ref _silent)))
        {
            return;
        }

        if (host.Routes.FirstOrDefault(r => r.Policy.Retry is { NumRetries: > 0 }) is not { } route)
        {
            Volatile.Write(ref _silent, host);
        }
        else if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            Log.AttemptsMultiply(logger, client, route.Policy.Retry!.NumRetries, host.Name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The HttpClient '{Client}' has a resilience handler, and the mesh retries requests to {Host} up to {Retries} times within each of its attempts: attempts multiply. Retry in one place: 'retries: {{ attempts: 0 }}' in the VirtualService, or no retry in the handler.")]
        public static partial void AttemptsMultiply(ILogger logger, string client, uint retries, string host);
    }
}

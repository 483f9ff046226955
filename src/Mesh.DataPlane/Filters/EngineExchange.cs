using System.Net;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters;

/// <summary>What the engine's own filters see of an exchange beyond the public contract.</summary>
internal abstract class EngineExchange : HttpExchangeAdapter
{
    protected EngineExchange() => Exchange = new HttpExchange(this);

    public HttpExchange Exchange { get; }

    /// <summary>The <c>ip:port</c> that the request is to go to if it is an endpoint that may be picked.</summary>
    public string? OverrideHost { get; set; }

    /// <summary>The status when it is not; <see langword="null"/> when any other endpoint will do.</summary>
    public HttpStatusCode? OverrideHostMissing { get; set; }

    /// <summary>The <c>ip:port</c> that the request went to; <see langword="null"/> when it went nowhere.</summary>
    public string? UpstreamAddress { get; set; }

    /// <summary>The connection that the request came in by; <see langword="null"/> in process.</summary>
    public virtual ConnectionFacts? Connection => null;

    /// <summary>Who sent the request, as far as those who passed it on are believed; <see langword="null"/> in process.</summary>
    public virtual IPAddress? RemoteAddress => null;

    /// <summary>The path that the application will route by, where it is not the one that matchers see; what is forbidden must be so under both.</summary>
    public virtual string? ApplicationPath => null;

    /// <summary>The clock that formats tell the time by.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>What substitutions may tell of the exchange.</summary>
    public abstract FormatContext Format { get; }

    /// <summary>The request as matchers see it.</summary>
    public abstract RequestView View { get; }

    public static EngineExchange Of(HttpExchange exchange) => (EngineExchange)exchange.Adapter;
}

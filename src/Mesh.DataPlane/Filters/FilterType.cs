using Google.Protobuf;
using Mesh.Filters;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Filters;

/// <summary>One kind of HTTP filter: reads its configuration when a resource arrives, and makes the filter of a route from what applies there.</summary>
internal abstract class FilterType
{
    /// <summary>The message that configures it in a listener.</summary>
    public abstract string ConfigType { get; }

    /// <summary>The message that configures it in <c>typed_per_filter_config</c>.</summary>
    public virtual string RouteConfigType => ConfigType;

    /// <exception cref="ResourceRejectedException">The configuration is invalid.</exception>
    public abstract object Read(in FilterMessage message, string path, ICollection<string> notes);

    /// <exception cref="ResourceRejectedException">The configuration is invalid.</exception>
    public abstract object ReadRoute(in FilterMessage message, string path, ICollection<string> notes);

    /// <summary>Makes the filter of one route; <see langword="null"/> when it would do nothing there.</summary>
    public abstract HttpFilter? Create(in FilterBinding binding);
}

/// <summary>A kind of filter that has messages of its own.</summary>
internal abstract class FilterType<TMessage, TRouteMessage>(MessageParser<TMessage> parser, MessageParser<TRouteMessage> routeParser) : FilterType
    where TMessage : class, IMessage<TMessage>, new()
    where TRouteMessage : class, IMessage<TRouteMessage>, new()
{
    public sealed override string ConfigType { get; } = new TMessage().Descriptor.FullName;

    public sealed override string RouteConfigType { get; } = new TRouteMessage().Descriptor.FullName;

    public sealed override object Read(in FilterMessage message, string path, ICollection<string> notes)
        => Compile(message.Parse(parser, path, notes), path, notes);

    public sealed override object ReadRoute(in FilterMessage message, string path, ICollection<string> notes)
        => CompileRoute(message.Parse(routeParser, path, notes), path, notes);

    protected abstract object Compile(TMessage message, string path, ICollection<string> notes);

    protected abstract object CompileRoute(TRouteMessage message, string path, ICollection<string> notes);
}

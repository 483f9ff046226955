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

    /// <summary>The clusters that filters of a configuration call, be it a listener's or a route's.</summary>
    public virtual IEnumerable<string> ClustersOf(object config) => [];

    /// <summary>Begins what filters of a listener's configuration keep going beside the requests; <see langword="null"/> for nothing.</summary>
    /// <param name="config">What has been read.</param>
    /// <param name="services">Time, chance, and whom to call.</param>
    /// <param name="ready">To be called, on any thread, when it has become ready.</param>
    public virtual IFilterPreparation? Prepare(object config, FilterServices services, Action ready) => null;

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

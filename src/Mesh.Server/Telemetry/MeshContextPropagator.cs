using System.Diagnostics;
using Mesh.DataPlane.Telemetry.Tracing;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Telemetry;

/// <summary>
/// Lets the server read traces that travel in Zipkin's B3 headers, where the application's own propagator finds none; all the rest is that one's.
/// </summary>
internal sealed class MeshContextPropagator(DistributedContextPropagator inner) : DistributedContextPropagator
{
    public override IReadOnlyCollection<string> Fields { get; } =
    [
        .. inner.Fields, B3Context.SingleHeader, B3Context.TraceIdHeader, B3Context.SpanIdHeader, B3Context.ParentSpanIdHeader, B3Context.SampledHeader, B3Context.FlagsHeader,
    ];

    /// <summary>Over what is registered already, or else what the process has by default.</summary>
    public static Func<IServiceProvider, DistributedContextPropagator> Over(ServiceDescriptor? registered)
        => services => new MeshContextPropagator(registered switch
        {
            { ImplementationInstance: DistributedContextPropagator instance } => instance,
            { ImplementationFactory: { } factory } => (DistributedContextPropagator)factory(services),
            { ImplementationType: { } type } => (DistributedContextPropagator)ActivatorUtilities.CreateInstance(services, type),
            _ => Current,
        });

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) => inner.Inject(activity, carrier, setter);

    public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState)
    {
        inner.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);
        if (getter is null || (traceId is not null && ActivityContext.TryParse(traceId, null, out _)))
        {
            return;
        }

        if (!(B3Context.TryParse(Value(carrier, getter, B3Context.SingleHeader), out var context) && context.HasIds)
            && !(B3Context.TryParse(
                Value(carrier, getter, B3Context.TraceIdHeader),
                Value(carrier, getter, B3Context.SpanIdHeader),
                Value(carrier, getter, B3Context.SampledHeader),
                Value(carrier, getter, B3Context.FlagsHeader),
                out context) && context.HasIds))
        {
            return;
        }

        traceId = TraceHeaders.Text(context.Context(null));
        traceState = null;
    }

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) => inner.ExtractBaggage(carrier, getter);

    // A header that was sent twice says nothing.
    private static string? Value(object? carrier, PropagatorGetterCallback getter, string name)
    {
        getter(carrier, name, out var value, out var values);
        if (values is null)
        {
            return value;
        }

        string? only = null;
        foreach (var one in values)
        {
            if (only is not null)
            {
                return null;
            }

            only = one;
        }

        return only;
    }
}

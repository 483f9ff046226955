using Envoy.Extensions.Filters.Http.Fault.V3;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Fault;

/// <summary>Envoy's <c>envoy.filters.http.fault</c>: a route's configuration takes the place of the listener's.</summary>
internal sealed class FaultFilterType() : FilterType<HTTPFault, HTTPFault>(HTTPFault.Parser, HTTPFault.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding)
    {
        var settings = (FaultSettings)binding.MostSpecific;
        return settings.DoesNothing ? null : new FaultFilter(settings, ((FaultSettings)binding.Config).Active, new FaultCounters(binding), binding.Services.Time, binding.Services.Random);
    }

    protected override object Compile(HTTPFault message, string path, ICollection<string> notes) => FaultCompiler.Compile(message, path, notes);

    protected override object CompileRoute(HTTPFault message, string path, ICollection<string> notes) => FaultCompiler.Compile(message, path, notes);
}

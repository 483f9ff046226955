using Operation = Envoy.Config.Accesslog.V3.ComparisonFilter.Types.Op;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>What a number has to be.</summary>
internal readonly record struct NumberComparison(Operation Op, long Value)
{
    public bool Holds(long number)
        => Op switch
        {
            Operation.Eq => number == Value,
            Operation.Ge => number >= Value,
            Operation.Le => number <= Value,
            _ => number != Value,
        };
}

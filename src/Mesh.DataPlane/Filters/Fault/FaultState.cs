using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Fault;

/// <summary>What the fault filter does to one request.</summary>
internal sealed class FaultState
{
    /// <summary>It counts among the active ones.</summary>
    public bool IsActive { get; set; }

    /// <summary>The response's body ends the fault.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>How fast the response may go; 0 for no limit.</summary>
    public ulong BytesPerSecond { get; set; }

    public static FaultState Of(HttpExchange exchange)
    {
        if (exchange.State is not FaultState state)
        {
            exchange.State = state = new FaultState();
        }

        return state;
    }
}

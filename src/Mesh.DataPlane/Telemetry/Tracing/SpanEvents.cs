using System.Diagnostics;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>When the parts of a request and its response came and went, in Envoy's words (<c>verbose</c>).</summary>
internal static class SpanEvents
{
    public static void Write(Activity span, RequestRecord record)
    {
        Add("last_downstream_rx_byte_received", record.RequestEnded);
        Add("first_upstream_tx_byte_sent", record.UpstreamBegan);
        Add("first_upstream_rx_byte_received", record.ResponseBegan);
        Add("last_downstream_tx_byte_sent", record.Ended);

        void Add(string name, long at)
        {
            if (at != 0)
            {
                span.AddEvent(new ActivityEvent(name, record.StartTime + record.Time.GetElapsedTime(record.Began, at)));
            }
        }
    }
}

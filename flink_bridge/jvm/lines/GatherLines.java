package winevent;

import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * Puts lines (byte[]) into blocks of lines (byte[]), so that Python is called once for hundreds of lines.
 *
 * A block is sent when it is full, after PATIENCE, and before a watermark or a checkpoint, which must not overtake
 * a line.
 */
public class GatherLines extends AbstractStreamOperator implements OneInputStreamOperator {

    private static final int SIZE = 256 * 1024;
    private static final long PATIENCE = 20; // milliseconds

    private transient LineBlock block;
    private transient StreamRecord sent;

    public void open() throws Exception {
        super.open();
        block = new LineBlock(SIZE);
        sent = new StreamRecord(null);
        getProcessingTimeService().scheduleAtFixedRate(new ProcessingTimeService.ProcessingTimeCallback() {
            public void onProcessingTime(long time) {
                send();
            }
        }, PATIENCE, PATIENCE);
    }

    public void processElement(StreamRecord record) {
        byte[] line = (byte[]) record.getValue();
        if (!block.hasRoomFor(line)) {
            send();
        }
        block.add(line);
    }

    public void processWatermark(Watermark mark) throws Exception {
        send();
        super.processWatermark(mark);
    }

    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        send();
        super.processWatermarkStatus(status);
    }

    public void prepareSnapshotPreBarrier(long checkpoint) {
        send();
    }

    public void finish() throws Exception {
        send();
        super.finish();
    }

    private void send() {
        if (!block.isEmpty()) {
            output.collect(sent.replace(block.take()));
        }
    }
}

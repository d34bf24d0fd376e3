"""What Lambda does with a table's stream, by the settings of the event source: it believes an answer that names records which
were not handled, tries again, halves batches, gives up as the event source says, and tells the dead-letter queue."""

import json

from boto3.dynamodb.types import TypeSerializer


class Poller:
    """Feeds `events` from the stream of the main table, from now on, in place of the emulator."""

    def __init__(self, stack):
        self.stack, self.lambda_ = stack, stack.emulator.client("lambda")
        function = stack.resources["EventsFunction"]
        [self.source] = self.lambda_.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        self.lambda_.update_event_source_mapping(UUID=self.source["UUID"], Enabled=False)
        self.stream = stack.emulator.client("dynamodbstreams")
        arn = self.source["EventSourceArn"]
        [shard, *_] = self.stream.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = self.stream.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
        self.at = iterator["ShardIterator"]

    def close(self):
        self.lambda_.update_event_source_mapping(UUID=self.source["UUID"], Enabled=True)

    def run(self):
        """Handles what has changed since the last time, to the end."""
        page = self.stream.get_records(ShardIterator=self.at)
        self.at = page["NextShardIterator"]
        patterns = [filter_["Pattern"] for filter_ in self.source["FilterCriteria"]["Filters"]]
        records = [record for record in page["Records"] if any(matches(record, text) for text in patterns)]
        size = self.source["BatchSize"]
        for start in range(0, len(records), size):
            self.handle(records[start : start + size])

    def handle(self, records):
        tries = 0
        while records:
            answer = self.stack.invoke("Events", {"Records": records_as_sent(records)})
            failed = self.first_unhandled(*answer, records)
            if failed is None:
                return
            if failed > 0:  # what came before is told
                records, tries = records[failed:], 0
                continue
            tries += 1
            if tries <= self.source["MaximumRetryAttempts"]:
                continue
            assert self.source["BisectBatchOnFunctionError"]
            if len(records) > 1:
                middle = len(records) // 2
                self.handle(records[:middle])
                records, tries = records[middle:], 0
                continue
            return self.give_up(records[0])

    def first_unhandled(self, error, answer, records):
        """The position of the first record that counts as not handled; None: all count as handled."""
        if error:
            return 0
        # Lambda reads what the answer names only if the source says that it names anything.
        if "ReportBatchItemFailures" not in self.source["FunctionResponseTypes"]:
            return None
        first = [failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        return min(map(numbers.index, first)) if first else None

    def give_up(self, record):
        queue = self.source["DestinationConfig"]["OnFailure"]["Destination"]
        number = record["dynamodb"]["SequenceNumber"]
        letter = {"DDBStreamBatchInfo": {"startSequenceNumber": number, "endSequenceNumber": number}}
        sqs = self.stack.emulator.client("sqs")
        url = sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[1])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(letter))


def matches(record, text):
    """Whether a record is one that the stack's filter lets through."""
    return fits(record, json.loads(text))


def fits(value, pattern):
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(fits(value.get(name), rule) for name, rule in pattern.items())
    return value is not None and any(keeps(value, rule) for rule in pattern)


def keeps(value, rule):
    if not isinstance(rule, dict):
        return value == rule
    if "anything-but" in rule:
        return value not in rule["anything-but"]
    return value.startswith(rule["prefix"])


def records_as_sent(records):
    """As Lambda sends them: times are numbers."""
    return json.loads(json.dumps(records, default=lambda time: time.timestamp()))


def item(**attributes):
    return {name: TypeSerializer().serialize(value) for name, value in attributes.items()}
